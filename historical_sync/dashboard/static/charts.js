// Draws the charts from the data that the server put into the page, and moves between states without a reload.
// Every state is an address: what is clicked here could as well be opened as a link.
(() => {
  "use strict";
  const narrow = matchMedia("(max-width: 640px)");
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);

  // A token of the style sheet as a colour that Plotly reads.
  function token(name) {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  }
  const series = (index) => (index === 0 ? token("ink") : token(`s${index}`));
  function faded(color, alpha) {
    const [r, g, b] = color.match(/[\d.]+/g);
    return `rgba(${r}, ${g}, ${b}, ${alpha})`;
  }

  function axisFormat(chart) {
    const numbers = chart.series.flatMap((one) => one.values.filter((value) => value !== null));
    const most = Math.max(0, ...numbers);
    if (chart.unit === "share") return { tickformat: ",.0%", rangemode: "tozero" };
    if (chart.unit === "hours") {
      // Ticks at whole days where days are what the numbers are.
      const step = most > 24 * 12 ? 24 * 5 : most > 72 ? 24 : null;
      const day = (value) => (most > 72 ? `${+(value / 24).toFixed(1)} d` : `${value} h`);
      if (!step) return { ticksuffix: " h", rangemode: "tozero" };
      const ticks = Array.from({ length: Math.floor(most / step) + 2 }, (_, index) => index * step);
      return { tickvals: ticks, ticktext: ticks.map(day), rangemode: "tozero" };
    }
    return { rangemode: "tozero", tickformat: ",~r", ...(most < 6 && /pull requests|authors/.test(chart.unit) ? { dtick: 1 } : {}) };
  }

  // The quartile band, a piece for every run of months that have one: across a gap there is nothing to be said.
  function bands(chart) {
    const low = chart.series.find((one) => one.role === "low");
    const high = chart.series.find((one) => one.role === "high");
    if (!low || !high) return [];
    const has = (index) => low.values[index] !== null && high.values[index] !== null && !/too few/.test(high.why[index]);
    const runs = [];
    chart.labels.forEach((_, index) => {
      if (!has(index)) return;
      if (index && has(index - 1)) runs.at(-1).push(index);
      else runs.push([index]);
    });
    const fill = faded(series(high.color), 0.17);
    return runs.map((run) => ({
      type: "scatter", mode: "lines", fill: "toself", fillcolor: fill, hoverinfo: "skip", meta: { role: "band" },
      line: { width: run.length > 1 ? 0 : 9, color: fill },
      x: [...run, ...[...run].reverse()].map((index) => chart.labels[index]),
      y: [...run.map((index) => high.values[index]), ...[...run].reverse().map((index) => low.values[index])],
    }));
  }

  const group = (one) => (one.role === "stack" ? "stack" : one.metric + one.segment);

  function trace(one, chart) {
    const color = series(one.color);
    // No <b> or <i> in the hover text: Plotly would turn them into inline styles, which the security policy refuses.
    const base = {
      name: one.name, x: chart.labels, y: one.values, meta: one,
      customdata: one.texts.map((text, index) => [text, one.n[index], one.why[index] ? ` · ${one.why[index]}` : ""]),
      hovertemplate: `${one.name}: %{customdata[0]}  (n = %{customdata[1]}%{customdata[2]})<extra></extra>`,
    };
    const unsure = one.sure.map((sure) => !sure);
    if (one.role === "bar" || one.role === "stack") {
      return {
        ...base, type: "bar", offsetgroup: group(one),
        marker: {
          color: unsure.map((is) => (is ? faded(color, 0.42) : color)),
          pattern: { shape: unsure.map((is) => (is ? "/" : "")), fillmode: "replace", fgcolor: color, size: 5, solidity: 0.45 },
          line: { width: one.role === "stack" ? 1 : 0, color: token("card") },
        },
      };
    }
    const line = { ...base, type: "scatter", mode: "lines+markers", connectgaps: false };
    if (one.role === "low" || one.role === "high") return { ...line, mode: "lines", line: { width: 0, color } };
    if (one.role === "year") {
      const isAlone = one.values.filter((value) => value !== null).length === 1;
      return { ...line, line: { width: 1.8, dash: "dot", color: token("muted") }, marker: { size: isAlone ? 9 : 4, symbol: "diamond", color: token("muted") } };
    }
    return {
      ...line,
      line: { width: 2.6, color, shape: "linear" },
      marker: { size: 8, color: unsure.map((is) => (is ? token("card") : color)), line: { width: 2.2, color } },
    };
  }

  function layout(chart) {
    const hasStack = chart.series.some((one) => one.role === "stack");
    const shade = faded(token("muted"), 0.07);
    const axis = { fixedrange: true, zeroline: false, linecolor: token("line-strong"), tickcolor: token("line-strong"), ticks: "" };
    return {
      autosize: true,
      margin: { l: 50, r: narrow.matches ? 24 : 12, t: 8, b: 30 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: token("muted") },
      barmode: hasStack ? "stack" : "group", bargap: 0.32, bargroupgap: 0.08,
      hovermode: hasStack ? "closest" : "x unified",
      hoverlabel: { bgcolor: token("card"), bordercolor: token("line-strong"), font: { color: token("ink"), size: 13, family: getComputedStyle(document.body).fontFamily }, align: "left" },
      showlegend: false,
      xaxis: { ...axis, type: "category", categoryorder: "array", categoryarray: chart.labels, showgrid: false, spikecolor: token("line-strong"), spikethickness: 1, spikedash: "solid", spikemode: "across", tickangle: 0, nticks: narrow.matches ? 4 : 9, range: [-0.6, chart.labels.length - 0.4] },
      yaxis: { ...axis, gridcolor: token("line"), linecolor: "rgba(0,0,0,0)", automargin: true, ...axisFormat(chart) },
      shapes: chart.unsure.map((why, index) => why && { type: "rect", xref: "x", yref: "paper", x0: index - 0.5, x1: index + 0.5, y0: 0, y1: 1, line: { width: 0 }, fillcolor: shade, layer: "below" }).filter(Boolean),
    };
  }

  function pointAddress(point) {
    const one = point.data.meta;
    let month = chartOf(one).months[point.pointNumber];
    if (one.role === "year") month = `${Number(month.slice(0, 4)) - 1}${month.slice(4)}`;
    const address = new URL(location.href);
    address.searchParams.set("point", `${one.metric}@${month}${one.segment === "*" ? "" : `~${one.segment}`}`);
    address.searchParams.delete("offset");
    return address.href;
  }

  let data = { charts: [] };
  const chartOf = (one) => data.charts.find((chart) => chart.key === one.chart);

  function draw() {
    const source = document.getElementById("chart-data");
    if (!source || !window.Plotly) return;
    data = JSON.parse(source.textContent);
    for (const chart of data.charts) {
      const plot = document.querySelector(`[data-chart="${chart.key}"]`);
      if (!plot) continue;
      for (const one of chart.series) one.chart = chart.key;
      const traces = [...bands(chart), ...chart.series.map((one) => trace(one, chart))];
      Plotly.react(plot, traces, layout(chart), { displayModeBar: false, responsive: true });
      plot.removeAllListeners?.("plotly_click");
      plot.on("plotly_click", (event) => {
        const order = ["line", "bar", "stack", "year", "high", "low"];
        const rank = (point) => order.indexOf(point.data.meta.role);
        const [best] = event.points.filter((point) => rank(point) >= 0 && !point.data.meta.is_sum).sort((a, b) => rank(a) - rank(b));
        if (best && best.y !== null) go(pointAddress(best));
      });
      plot.classList.add("is-drawn");
    }
  }

  // Moving between states -----------------------------------------------------------------------------------------
  const said = document.getElementById("said");
  let latest = 0;

  async function go(address, { push = true, focus = true, isLook = false } = {}) {
    const turn = ++latest;
    const content = document.getElementById("content");
    if (!isLook) content.setAttribute("aria-busy", "true");
    const opened = [...content.querySelectorAll("details.numbers[open]")].map((one) => one.closest("[id]").id);
    const focused = document.activeElement?.id;
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      if (!answer.ok) throw new Error(answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (turn !== latest || (isLook && !isNews(content, fresh.getElementById("content")))) return;
      content.querySelectorAll(".is-drawn").forEach((plot) => Plotly.purge(plot));
      content.replaceWith(document.adoptNode(fresh.getElementById("content")));
      document.title = fresh.title;
      if (push) history.pushState(null, "", address);
      shown = state();
      for (const id of opened) document.getElementById(id)?.querySelector("details.numbers")?.setAttribute("open", "");
      ready();
      const heading = document.getElementById("behind-title");
      if (heading && focus) {
        heading.focus();
        said.textContent = heading.parentElement.textContent;
      } else if (focused) {
        document.getElementById(focused)?.focus({ preventScroll: true });
        said.textContent = document.getElementById("figures-title")?.textContent || "";
      }
    } catch {
      if (!isLook) location.assign(address); // the server's own page says what is wrong
    }
  }

  function formAddress(form) {
    const given = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value && !(name === "repository" && value === "*") && !(name === "months" && value === "all")));
    return `${form.action}${given.size ? `?${given}` : ""}`;
  }

  function ready() {
    document.getElementById("apply")?.setAttribute("hidden", "");
    draw();
    watch();
  }

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form || form.id !== "filters") return;
    if (event.target.id === "metric") document.getElementById("by")?.removeAttribute("name");
    go(formAddress(form));
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "filters") return;
    event.preventDefault();
    go(formAddress(event.target));
  });
  let returnTo = null;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if (link.id === "behind-close") return close(link);
    returnTo = link.getAttribute("href");
    go(link.href);
  });
  async function close(link) {
    await go(link.href, { focus: false });
    const from = returnTo && [...document.querySelectorAll("a[data-swap]")].find((one) => one.getAttribute("href") === returnTo);
    (from || document.getElementById("title"))?.focus?.();
    returnTo = null;
  }
  document.addEventListener("keydown", (event) => {
    const link = document.getElementById("behind-close");
    if (event.key === "Escape" && link) close(link);
  });
  // Back and forward; a jump within the page (the skip link) is no other state.
  const state = () => location.pathname + location.search;
  let shown = state();
  addEventListener("popstate", () => state() !== shown && go(location.href, { push: false }));
  document.addEventListener("themechange", draw);
  narrow.addEventListener("change", draw);

  // While the history loads, a new month appears by itself -----------------------------------------------------------
  let timer = 0;
  function watch() {
    clearTimeout(timer);
    const seconds = Number(document.getElementById("content").dataset.look);
    if (seconds) timer = setTimeout(look, 1000 * seconds);
  }
  async function look() {
    const isChoosing = document.activeElement?.tagName === "SELECT"; // a menu that is open would close
    const isGoing = document.getElementById("content").getAttribute("aria-busy") === "true"; // a click comes first
    if (document.visibilityState === "visible" && !isChoosing && !isGoing) await go(location.href, { push: false, focus: false, isLook: true });
    watch();
  }

  // Whether a look found a month more; if only the bar has moved, it is moved and the charts are left in peace.
  function isNews(content, fresh) {
    if (content.dataset.version !== fresh.dataset.version) return true;
    const [old, banner] = [content, fresh].map((one) => one.querySelector("#banner"));
    if (old && banner) old.replaceWith(document.adoptNode(banner));
    return false;
  }

  ready();
})();
