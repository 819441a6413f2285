"""How often something may be written down before it is a flood."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

from twin.kernel.clock import now


class Budget:
    """At most so many within a minute, in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._spent: deque[datetime] = deque()
        self._lock = threading.Lock()

    def spend(self) -> bool:
        with self._lock:
            moment = now()
            while self._spent and self._spent[0] <= moment - timedelta(minutes=1):
                self._spent.popleft()
            if len(self._spent) >= self._most:
                return False
            self._spent.append(moment)
            return True
