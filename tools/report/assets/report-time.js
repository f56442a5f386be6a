// SPDX-License-Identifier: Apache-2.0
// When layers work and wait, and how much of the run and of their cells they use.
'use strict';
(() => {
  const {section, si, tick, plain, count, percent, chart, axis, frame, legend, tip} = bitline;
  const {data, layers} = report;
  const NAMES = {busy: 'at work', 'wait-input': 'waits for input', 'wait-output': 'waits for room'};

  // [[from, to, share waiting for input, share waiting for room], …] in seconds, equal neighbours joined.
  function spans(layer) {
    const [from, to] = [layer.start_s, layer.start_s + layer.latency_s];
    if (!(to > from)) return [];
    if (!layer.waits || !(data.waits_bin_s > report.end / 1000))
      return [
        [from, to, Math.min(1, layer.stalls.input / (to - from)), Math.min(1, layer.stalls.output / (to - from))],
      ];
    const [first, input, output] = layer.waits;
    const bin = data.waits_bin_s;
    const out = [];
    for (let at = Math.floor(from / bin); at * bin < to; ++at) {
      const [left, right] = [Math.max(from, at * bin), Math.min(to, (at + 1) * bin)];
      const scale = bin / (right - left);
      const digit = (text) => Math.min(1, (Number.parseInt(text[at - first] || '0', 36) / 35) * scale);
      const waitsInput = digit(input);
      const one = [left, right, waitsInput, Math.min(1 - waitsInput, digit(output))];
      const last = out[out.length - 1];
      if (last && last[2] === one[2] && last[3] === one[3]) last[1] = right;
      else if (right > left) out.push(one);
    }
    return out;
  }

  function timeline(grid) {
    const around = 64;
    const all = layers.map(spans);
    const exact = data.waits_bin_s > report.end / 1000;
    const names = layers.map((layer) => report.short(layer.name));
    const keys = Object.keys(NAMES);
    chart({
      into: grid,
      id: 'timeline',
      title: 'Pipeline',
      wide: true,
      canvas: layers.length > 40,
      describe: `Layers against time, from 0 to ${si(report.end, 's')}.`,
      note: exact
        ? 'A bar from the first activity of a layer to its last output. Its height is divided into work and waiting, by how much of each moment they take.'
        : 'A bar from the first activity of a layer to its last output. Its height is divided into work and waiting over the whole bar: mode analytic does not know when.',
      height: ({narrow}) => report.rowsHeight(layers.length, narrow ? 20 : 24, around),
      option: ({theme, narrow}) => {
        const zoom = report.rowZoom(theme, layers.length, narrow ? 20 : 24, around);
        return {
          grid: frame({top: 34, right: zoom.length > 0 ? 28 : 34}),
          dataZoom: zoom,
          legend: legend(theme, {selectedMode: false, data: keys.map((key) => NAMES[key])}),
          tooltip: {
            formatter: ({dataIndex}) => {
              const layer = layers[dataIndex];
              return tip(layer.name, [
                ['from', si(layer.start_s, 's')],
                ['to', si(layer.start_s + layer.latency_s, 's')],
                [NAMES.busy, si(layer.busy_s, 's'), theme.busy],
                [NAMES['wait-input'], si(layer.stalls.input, 's'), theme['wait-input']],
                [NAMES['wait-output'], si(layer.stalls.output, 's'), theme['wait-output']],
                ['for buses (sum)', si(layer.stalls.bus, 's')],
                ['for the network (sum)', si(layer.stalls.noc, 's')],
                ['for ADCs (sum)', si(layer.stalls.adc, 's')],
              ]);
            },
          },
          xAxis: axis(theme, {
            type: 'value',
            min: 0,
            max: report.end,
            axisLabel: {formatter: (v) => (v > report.end * 0.9999 ? '' : tick(v, 's')), hideOverlap: true},
            splitNumber: narrow ? 3 : 8,
          }),
          yAxis: axis(theme, {
            type: 'category',
            inverse: true,
            data: names,
            axisTick: {show: false},
            splitLine: {show: false},
            axisLabel: {color: theme.text, width: narrow ? 84 : 170, overflow: 'truncate'},
          }),
          series: [
            {
              type: 'custom',
              clip: true,
              encode: {x: [1, 2], y: 0},
              data: layers.map((layer, at) => [at, layer.start_s, layer.start_s + layer.latency_s]),
              renderItem: (parameters, api) => {
                const layer = layers[parameters.dataIndex];
                const height = api.size([0, 1])[1] * 0.74;
                const x = (time) => api.coord([time, parameters.dataIndex])[0];
                const [left, middle] = api.coord([layer.start_s, parameters.dataIndex]);
                const children = [
                  {
                    type: 'rect',
                    shape: {
                      x: left,
                      y: middle - height / 2,
                      width: Math.max(2, x(layer.start_s + layer.latency_s) - left),
                      height,
                    },
                    style: {fill: theme.busy},
                  },
                ];
                // One outline for each kind of waiting, from the top of the bar down.
                const top = middle - height / 2;
                const bounds = [() => 0, (span) => span[2], (span) => span[2] + span[3]];
                ['wait-input', 'wait-output'].forEach((key, kind) => {
                  const [upper, lower] = [bounds[kind], bounds[kind + 1]];
                  if (!all[parameters.dataIndex].some((span) => lower(span) > upper(span))) return;
                  const edge = (of) =>
                    all[parameters.dataIndex].flatMap((span) => [
                      [x(span[0]), top + height * of(span)],
                      [x(span[1]), top + height * of(span)],
                    ]);
                  children.push({
                    type: 'polygon',
                    shape: {points: [...edge(upper), ...edge(lower).reverse()]},
                    style: {fill: theme[key]},
                  });
                });
                return {type: 'group', children};
              },
            },
            ...keys.map((key) => ({type: 'bar', name: NAMES[key], data: [], itemStyle: {color: theme[key]}})),
          ],
        };
      },
      table: () => ({
        columns: [
          {key: 'layer', label: 'Layer'},
          ...[
            'start_s',
            'end_s',
            'busy_s',
            'wait_input_s',
            'wait_output_s',
            'wait_bus_s',
            'wait_noc_s',
            'wait_adc_s',
          ].map((key, at) => ({
            key,
            label: [
              'From',
              'To',
              'At work',
              'Waits for input',
              'Waits for room',
              'For buses',
              'For the network',
              'For ADCs',
            ][at],
            format: (v) => si(v, 's'),
          })),
        ],
        rows: layers.map((layer) => [
          layer.name,
          layer.start_s,
          layer.start_s + layer.latency_s,
          layer.busy_s,
          layer.stalls.input,
          layer.stalls.output,
          layer.stalls.bus,
          layer.stalls.noc,
          layer.stalls.adc,
        ]),
      }),
    });
  }

  function utilisation(grid) {
    const around = 64;
    const shown = {cells: layers.filter((layer) => layer.crossbars > 0), time: layers};
    const share = (seconds) => seconds / report.end;
    const stacks = [
      ['busy', (layer) => layer.busy_s],
      ['wait-input', (layer) => layer.stalls.input],
      ['wait-output', (layer) => layer.stalls.output],
    ];
    chart({
      into: grid,
      id: 'utilisation',
      title: 'Utilisation by layer',
      canvas: layers.length > 150,
      describe: 'A bar for each layer.',
      note: 'Time: shares of the run. Cells: of its crossbars, that hold a weight.',
      height: ({narrow, choice}) => report.rowsHeight(shown[choice.of].length, narrow ? 18 : 21, around, 640),
      controls: [
        {
          label: 'Of',
          name: 'of',
          choices: [
            {value: 'time', label: 'time'},
            {value: 'cells', label: 'cells'},
          ],
        },
      ],
      option: ({theme, narrow, choice}) => {
        const rows = shown[choice.of];
        const zoom = report.rowZoom(theme, rows.length, narrow ? 18 : 21, around, 640);
        return {
          grid: frame({top: 34, right: zoom.length > 0 ? 28 : 30}),
          dataZoom: zoom,
          legend: choice.of === 'time' ? legend(theme) : {show: false},
          tooltip: {
            trigger: 'axis',
            axisPointer: {type: 'shadow'},
            formatter: (marks) => {
              const layer = rows[marks[0].dataIndex];
              if (choice.of === 'cells')
                return tip(layer.name, [
                  ['cells with a weight', percent(layer.cell_utilization)],
                  ['crossbars', count(layer.crossbars)],
                  ['weights that are 0', percent(layer.zero_weights)],
                ]);
              return tip(
                layer.name,
                stacks.map(([key, of]) => [NAMES[key], percent(share(of(layer))), theme[key]]),
              );
            },
          },
          xAxis: axis(theme, {
            type: 'value',
            min: 0,
            max: 1,
            axisLabel: {formatter: (v) => `${Math.round(v * 100)} %`},
            interval: narrow ? 0.5 : 0.25,
          }),
          yAxis: axis(theme, {
            type: 'category',
            inverse: true,
            data: rows.map((layer) => report.short(layer.name)),
            axisTick: {show: false},
            axisLabel: {color: theme.text, width: narrow ? 84 : 130, overflow: 'truncate'},
          }),
          series:
            choice.of === 'cells'
              ? [
                  {
                    type: 'bar',
                    name: 'cells',
                    itemStyle: {color: theme.busy},
                    data: rows.map((layer) => layer.cell_utilization),
                  },
                ]
              : stacks.map(([key, of]) => ({
                  type: 'bar',
                  stack: 'time',
                  name: NAMES[key],
                  itemStyle: {color: theme[key]},
                  data: rows.map((layer) => share(of(layer))),
                })),
        };
      },
      table: (choice) =>
        choice.of === 'cells'
          ? {
              columns: [
                {key: 'layer', label: 'Layer'},
                {key: 'cell_utilization', label: 'Cells with a weight', format: percent},
                {key: 'crossbars', label: 'Crossbars', format: count},
              ],
              rows: shown.cells.map((layer) => [layer.name, layer.cell_utilization, layer.crossbars]),
            }
          : {
              columns: [
                {key: 'layer', label: 'Layer'},
                ...stacks.map(([key]) => ({key: key.replace('-', '_'), label: NAMES[key], format: percent})),
              ],
              rows: layers.map((layer) => [layer.name, ...stacks.map(([, of]) => share(of(layer)))]),
            },
    });
  }

  report.time = () => {
    const grid = section(
      'time',
      'Time',
      report.images === 1
        ? `${si(data.latency_s.image, 's')} for an image.`
        : `${si(data.latency_s.image, 's')} for an image, ${si(data.latency_s.total, 's')} for all ${count(report.images)} that were streamed.`,
    );
    timeline(grid);
    utilisation(grid);
    report.roofline(grid);
    report.contended(grid);
  };
})();
