// Draws the trend from the table beneath it: two lines, the margin as the band between them. The values of the
// pointed step stand in the legend; arrow keys point, too. Without script the table is the chart.
"use strict";

(() => {
  const holder = document.querySelector("[data-chart]");
  const table = holder && document.getElementById(holder.dataset.chart);
  if (!table || typeof uPlot === "undefined") return;

  const rows = [...table.tBodies[0].rows];
  const exact = (row, at) => (row.cells[at].dataset.exact === undefined ? null : Number(row.cells[at].dataset.exact));
  const hasBuy = holder.dataset.nameBuy !== undefined;
  const sells = rows.map((row) => exact(row, hasBuy ? 2 : 1));
  const buys = hasBuy ? rows.map((row) => exact(row, 1)) : null;
  const legend = {
    time: document.querySelector("[data-legend-time]"),
    buy: document.querySelector('[data-legend="buy"]'),
    sell: document.querySelector('[data-legend="sell"]'),
    margin: document.querySelector('[data-legend="margin"]'),
  };
  const language = document.documentElement.lang;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function tell(at) {
    const row = rows[at] ?? null;
    legend.time.textContent = row ? row.cells[0].textContent : "";
    const cells = hasBuy ? { buy: 1, sell: 2, margin: 3 } : { sell: 1 };
    for (const [name, cell] of Object.entries(cells)) {
      legend[name].textContent = row ? row.cells[cell].textContent : "";
    }
  }

  const NARROW = 500;
  const lines = [[1, holder.dataset.nameSell, "--accent"], ...(hasBuy ? [[2, holder.dataset.nameBuy, "--chart-buy"]] : [])];
  const nameFont = (size) => `500 ${size}px ${getComputedStyle(holder).fontFamily}`;

  function widthOfNames() {
    // On a phone the legend above must do.
    if (holder.clientWidth < NARROW) return 20;
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = nameFont(12);
    return 14 + Math.ceil(Math.max(...lines.map(([, name]) => pen.measureText(name).width)));
  }

  function nameEnds(plot) {
    if (holder.clientWidth < NARROW || rows.length === 1) return;
    const last = latest();
    const ratio = devicePixelRatio;
    const x = plot.valToPos(last, "x", true) + 8 * ratio;
    // A day that has just begun ends near nothing: its names stay above the days' own.
    const floor = plot.bbox.top + plot.bbox.height - 7 * ratio;
    const ys = lines.map(([series]) => plot.valToPos(plot.data[series][last], "y", true));
    if (ys.length === 2 && Math.abs(ys[0] - ys[1]) < 14 * ratio) {
      const middle = Math.min((ys[0] + ys[1]) / 2, floor - 7 * ratio);
      const side = ys[0] <= ys[1] ? -7 : 7;
      ys[0] = middle + side * ratio;
      ys[1] = middle - side * ratio;
    }
    plot.ctx.save();
    plot.ctx.font = nameFont(12 * ratio);
    plot.ctx.textBaseline = "middle";
    plot.ctx.textAlign = "left";
    lines.forEach(([, name, token], index) => {
      plot.ctx.fillStyle = colour(token);
      plot.ctx.fillText(name, x, Math.min(ys[index], floor));
    });
    plot.ctx.restore();
  }

  function draw() {
    holder.replaceChildren();
    const font = `12px ${getComputedStyle(holder).fontFamily}`;
    const axis = { stroke: colour("--ink-2"), font, ticks: { show: false } };
    const grid = { stroke: colour("--chart-grid"), width: 1 };
    const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
    const width = holder.clientWidth;
    const single = rows.length === 1;
    const points = { show: single, size: 6 };
    const series = [{}, { stroke: colour("--accent"), width: 2, points }];
    const data = [rows.map((_, index) => index), sells];
    if (buys) {
      series.push({ stroke: colour("--chart-buy"), width: 1.5, dash: [5, 3], points });
      data.push(buys);
    }
    const plot = new uPlot(
      {
        width,
        height: holder.clientHeight,
        legend: { show: false },
        padding: [8, widthOfNames(), 0, 0],
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
        scales: {
          x: { time: false, range: single ? [-1, 1] : undefined },
          y: { range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.06 : 1] },
        },
        series,
        bands: buys ? [{ series: [1, 2], fill: colour("--chart-band") }] : [],
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 32,
            gap: 8,
            space: 64,
            incrs: [1, 2, 3, 4, 5, 6, 7, 10, 12, 14, 20, 24, 30, 50],
            values: (_, splits) => splits.map((at) => rows[at]?.dataset.short ?? ""),
          },
          { ...axis, grid, size: 52, values: (_, splits) => splits.map((value) => short.format(value)) },
        ],
        hooks: { setCursor: [(self) => tell(self.cursor.idx ?? latest())], draw: [nameEnds] },
      },
      data,
      holder,
    );
    tell(latest());
    return plot;
  }

  function latest() {
    let last = rows.length - 1;
    while (last > 0 && sells[last] === null) last -= 1;
    return last;
  }

  let plot = draw();
  let pointed = latest();
  holder.tabIndex = 0;
  holder.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    pointed = Math.min(Math.max(pointed + step, 0), latest());
    plot.setCursor({ left: plot.valToPos(pointed, "x"), top: 10 });
  });

  const again = () => {
    plot.destroy();
    plot = draw();
  };
  let drawnAt = holder.clientWidth;
  new ResizeObserver(() => {
    if (holder.clientWidth === drawnAt) return;
    drawnAt = holder.clientWidth;
    again();
  }).observe(holder);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  document.fonts?.ready.then(again);
})();
