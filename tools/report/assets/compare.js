// SPDX-License-Identifier: Apache-2.0
// Runs side by side (bitline compare --html): ratios to the baseline, what changed, where the energy went.
'use strict';
(() => {
  const {data, si, tick, count, area, element, section, table, chart, axis, frame, legend, tip} = bitline;
  const runs = data.runs.map((run) => run.label);
  const base = runs.indexOf(data.baseline);
  const others = runs.map((_, run) => run).filter((run) => run !== base);
  const points = (value) => `${value > 0 ? '+' : ''}${(100 * value).toFixed(2)} points`;
  const times = (ratio) => (ratio === null ? '–' : `${Number(ratio.toPrecision(4))}×`);
  const change = (share) => (share === null ? 'absent' : `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)} %`);
  const short = (name) => (name.length > 26 ? `${name.slice(0, 12)}…${name.slice(-13)}` : name);

  function shown(figure, value) {
    if (value === null) return '–';
    if (figure.kind === 'share') return `${(100 * value).toFixed(2)} %`;
    if (figure.kind === 'count') return count(Math.round(value));
    return figure.kind === 'area' ? area(value) : si(value, figure.unit);
  }
  function against(figure, run) {
    const value = figure.values[run];
    if (figure.kind !== 'share' || value === null || figure.values[base] === null) return times(figure.ratios[run]);
    return points(value - figure.values[base]);
  }

  function put(grid, box) {
    box.classList.add('card', 'wide');
    grid.append(box);
  }

  function listRuns() {
    const grid = section('runs', 'Runs', `Ratios and changes refer to ${data.baseline}.`);
    const columns = [{label: 'Run'}, {label: 'Network'}, {label: 'Machine'}, {label: 'Mode'}, {label: 'File'}];
    put(grid, table(columns, data.runs.map((run, at) => [at === base ? `${run.label} (baseline)` : run.label, run.network,
      run.arch, run.mode, run.file]), 'The runs that are compared'));
  }

  function differences() {
    const grid = section('changes', 'What changed', null);
    const columns = [{label: 'Key'}, ...runs.map((label) => ({label}))];
    const rows = [...data.settings, ...data.config].map((row) => [row.key, ...row.values.map((value) => value ?? 'absent')]);
    put(grid, rows.length > 0 ? table(columns, rows, 'Settings and keys of the machine that differ')
      : element('p', {}, 'Nothing: machines and settings are equal.'));
  }

  function figures() {
    const grid = section('figures', 'Figures', null);
    const bars = data.figures.filter((figure) => figure.kind !== 'share' && others.some((run) => figure.ratios[run] !== null && figure.ratios[run] > 0));
    const ratios = bars.flatMap((figure) => others.map((run) => figure.ratios[run])).filter((ratio) => ratio > 0);
    const wide = Math.max(...ratios, 1) / Math.min(...ratios, 1) > 10;
    chart({
      into: grid, id: 'ratios', title: `Ratios to ${data.baseline}`, wide: true,
      describe: `A bar per figure and run for ${bars.length} figures.`,
      note: wide ? 'Logarithmic axis.' : null,
      height: ({narrow}) => 70 + bars.length * (others.length * (narrow ? 9 : 10) + 10),
      option: ({theme}) => ({
        grid: frame({top: 34}), legend: legend(theme),
        tooltip: {formatter: (mark) => tip(bars[mark.dataIndex].label.trim(), [[runs[others[mark.seriesIndex]], times(bars[mark.dataIndex].ratios[others[mark.seriesIndex]]), mark.color],
          ['value', shown(bars[mark.dataIndex], bars[mark.dataIndex].values[others[mark.seriesIndex]])], ['baseline', shown(bars[mark.dataIndex], bars[mark.dataIndex].values[base])]])},
        xAxis: axis(theme, {type: wide ? 'log' : 'value', axisLabel: {formatter: (v) => `${v}×`, hideOverlap: true}}),
        yAxis: axis(theme, {type: 'category', inverse: true, data: bars.map((figure) => figure.label.trim())}),
        series: others.map((run) => ({type: 'bar', name: runs[run], itemStyle: {color: theme.series[run % theme.series.length]}, data: bars.map((figure) => figure.ratios[run]),
          markLine: {silent: true, symbol: 'none', label: {show: false}, lineStyle: {color: theme.text}, data: [{xAxis: 1}]}})),
      }),
      table: () => ({columns: [{key: 'figure', label: 'Figure'}, ...others.map((run) => ({key: runs[run], label: runs[run], format: times}))],
        rows: bars.map((figure) => [figure.label.trim(), ...others.map((run) => figure.ratios[run])])}),
      at: (row) => ({seriesIndex: 0, dataIndex: row}),
    });
    const columns = [{label: 'Figure'}, {label: `${data.baseline} (baseline)`}, ...others.flatMap((run) => [{label: runs[run]}, {label: 'against it'}])];
    put(grid, table(columns, data.figures.map((figure) => [figure.label.trim(), shown(figure, figure.values[base]),
      ...others.flatMap((run) => [shown(figure, figure.values[run]), against(figure, run)])]), 'Every figure of every run'));
  }

  // Groups of bars, one bar per run, of the rows of a table of the comparison.
  function bars(spec) {
    const grid = section(spec.id, spec.title, spec.intro);
    const rows = data[spec.id];
    const value = (row, run, what) => row[what][run];
    const format = {energy_j: (v) => (v === null ? 'absent' : si(v, 'J')), energy_change: change, area_mm2: (v) => (v === null ? 'absent' : area(v)),
      latency_s: (v) => (v === null ? 'absent' : si(v, 's'))};
    const mark = {energy_j: (v) => tick(v, 'J'), energy_change: (v) => `${Math.round(100 * v)} %`, area_mm2: (v) => `${v} mm²`, latency_s: (v) => tick(v, 's')};
    const of = (what) => (what === 'energy_change' ? others : runs.map((_, run) => run));
    chart({
      into: grid, id: `${spec.id}-bars`, title: spec.chart, wide: true, canvas: rows.length * runs.length > 2000,
      describe: `A bar per run for each of ${rows.length} ${spec.id}.`, note: spec.note,
      height: ({narrow}) => 70 + rows.length * (runs.length * (narrow ? 9 : 10) + 10),
      controls: [{label: 'Show', name: 'what', choices: spec.choices}],
      option: ({theme, choice}) => ({
        grid: frame({top: 34}), legend: legend(theme),
        tooltip: {formatter: (m) => tip(rows[m.dataIndex].name, runs.map((label, run) => [label, format[choice.what](value(rows[m.dataIndex], run, choice.what))]))},
        xAxis: axis(theme, {type: 'value', axisLabel: {formatter: mark[choice.what], hideOverlap: true}}),
        yAxis: axis(theme, {type: 'category', inverse: true, data: rows.map((row) => short(row.name))}),
        series: of(choice.what).map((run) => ({type: 'bar', name: runs[run], itemStyle: {color: theme.series[run % theme.series.length]},
          data: rows.map((row) => value(row, run, choice.what))})),
      }),
      table: (choice) => ({columns: [{key: 'name', label: 'Name'}, ...of(choice.what).map((run) => ({key: runs[run], label: runs[run], format: format[choice.what]}))],
        rows: rows.map((row) => [row.name, ...of(choice.what).map((run) => value(row, run, choice.what))])}),
      at: (row) => ({seriesIndex: 0, dataIndex: row}),
    });
  }

  listRuns();
  figures();
  bars({id: 'components', title: 'Components', intro: null, chart: 'Energy and area of components', note: 'Change: of the baseline’s total energy; the changes add up to its change.',
    choices: [{value: 'energy_j', label: 'energy of an image'}, {value: 'energy_change', label: 'change of energy'}, {value: 'area_mm2', label: 'area'}]});
  bars({id: 'layers', title: 'Layers', intro: null, chart: 'Energy and latency of layers', note: 'A layer without a bar is absent in that run. Latency: from first activity to last output.',
    choices: [{value: 'energy_j', label: 'energy of an image'}, {value: 'energy_change', label: 'change of energy'}, {value: 'latency_s', label: 'latency'}]});
  differences();
})();
