"""What a batch adds to what every buyer owes its seller."""

from __future__ import annotations

import numpy as np

from twin.metering.preparing import Ints, Prepared
from twin.metering.rules.cells import Cells
from twin.metering.rules.spent import spent_by_seller
from twin.metering.sheet import sheet_of


def spent_of(prepared: Prepared) -> dict[int, Cells]:
    """By seller, one cell per buyer; the buyer of the lowest edge is the company that used."""
    rows, plan, sheet = prepared.rows, prepared.plan, sheet_of(prepared.catalogue)
    sellers: list[Ints] = []
    buyers: list[Ints] = []
    amounts: list[Ints] = []
    buyer = rows.company
    for pos in range(int(rows.edges.max(initial=0))):
        # Above the highest edge the seller is 0 and so is the amount.
        seller = sheet.seller[pos][plan]
        sellers.append(seller)
        buyers.append(buyer)
        amounts.append(rows.amounts[pos])
        buyer = seller
    if not sellers:
        return {}
    return spent_by_seller(np.concatenate(sellers), np.concatenate(buyers), np.concatenate(amounts))
