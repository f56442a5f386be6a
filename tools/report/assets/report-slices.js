// SPDX-License-Identifier: Apache-2.0
// Bit slices of the weights and the converters' bits, by layer.
'use strict';
(() => {
  const {section, count, percent, chart, axis, frame, tip, ink, shade} = bitline;
  const {layers} = report;
  const FIGURES = {
    nonzero: {
      label: 'cells that are not zero',
      of: (s) => s.nonzero,
      format: percent,
      most: (values) => Math.max(1e-9, ...values),
    },
    bits: {label: 'ADC bits', of: (s) => s.bits, format: String, most: (values) => Math.max(1, ...values)},
    clipped: {
      label: 'clipped conversions',
      of: (s) => (s.conversions > 0 ? s.clipped / s.conversions : null),
      format: percent,
      most: (values) => Math.max(1e-9, ...values),
    },
    largest: {
      label: 'largest column sum',
      of: (s) => s.largest,
      format: count,
      most: (values) => Math.max(1, ...values),
    },
  };

  report.slices = () => {
    const rows = layers.filter((layer) => layer.slices.length > 0);
    if (rows.length === 0) return;
    const grid = section(
      'slices',
      'Bit slices',
      'Weights are cut into slices of a few bits; slice 0 is the most significant. The fewer cells are not zero, the fewer bits a converter needs.',
    );
    const cells = rows.flatMap((layer, row) => layer.slices.map((slice, column) => ({row, column, layer, slice})));
    const known = Object.keys(FIGURES).filter((key) => cells.some((cell) => FIGURES[key].of(cell.slice) !== null));
    const most = Math.max(...rows.map((layer) => layer.slices.length));
    const around = 84;
    chart({
      into: grid,
      id: 'slice-map',
      title: 'Slices by layer',
      wide: true,
      canvas: cells.length > 2000,
      describe: `${rows.length} layers by ${most} slices.`,
      note: known.includes('nonzero')
        ? "Cells before flipping; largest column sum with all inputs at their maximum; ADC bits: the widest of a layer's row blocks."
        : "The weights were not read (mode analytic), so nothing is known of their cells. ADC bits: the widest of a layer's row blocks.",
      height: ({narrow}) => report.rowsHeight(rows.length, narrow ? 22 : 26, around),
      controls: [{label: 'Show', name: 'show', choices: known.map((key) => ({value: key, label: FIGURES[key].label}))}],
      option: ({theme, narrow, width, choice}) => {
        const figure = FIGURES[choice.show];
        const largest = figure.most(cells.map((cell) => figure.of(cell.slice)).filter((value) => value !== null));
        const zoom = report.rowZoom(theme, rows.length, narrow ? 22 : 26, around);
        const values = cells.map((cell) => figure.of(cell.slice)).filter((value) => value !== null);
        const smallest = Math.min(...values) < largest ? Math.min(...values) : 0;
        const wide = (width - (narrow ? 110 : 210)) / most > 44;
        return {
          grid: frame({top: 4, right: zoom.length > 0 ? 26 : 8, bottom: 52}),
          dataZoom: zoom,
          visualMap: report.scaleLegend(theme, theme.scale, figure.format(smallest), figure.format(largest)),
          tooltip: {
            formatter: ({dataIndex}) => {
              const {layer, slice, column} = cells[dataIndex];
              return tip(`${layer.name}, slice ${column}`, [
                ['bits of a cell', String(slice.width)],
                ...known.map((key) => [
                  FIGURES[key].label,
                  FIGURES[key].of(slice) === null ? 'none' : FIGURES[key].format(FIGURES[key].of(slice)),
                ]),
                ['conversions', count(slice.conversions)],
              ]);
            },
          },
          xAxis: axis(theme, {
            type: 'category',
            data: Array.from({length: most}, (_, i) => i),
            name: 'slice',
            nameLocation: 'middle',
            nameGap: 26,
            splitLine: {show: false},
            axisTick: {show: false},
          }),
          yAxis: axis(theme, {
            type: 'category',
            inverse: true,
            data: rows.map((layer) => report.short(layer.name)),
            axisTick: {show: false},
            splitLine: {show: false},
            axisLabel: {color: theme.text, width: narrow ? 84 : 170, overflow: 'truncate'},
          }),
          series: [
            {
              type: 'heatmap',
              data: cells.map(({row, column, slice}) => {
                const value = figure.of(slice);
                const colour =
                  value === null
                    ? theme.page
                    : shade(theme.scale, largest > smallest ? (value - smallest) / (largest - smallest) : 0.5);
                return {
                  value: [column, row, value],
                  itemStyle: {color: colour, borderColor: theme.surface, borderWidth: 1},
                  label: {
                    show: wide && value !== null,
                    color: ink(colour),
                    fontSize: 11,
                    formatter: figure.format(value ?? 0),
                  },
                };
              }),
            },
          ],
        };
      },
      table: () => ({
        columns: [
          {key: 'layer', label: 'Layer'},
          {key: 'slice', label: 'Slice'},
          {key: 'cell_bits', label: 'Bits of a cell'},
          {key: 'nonzero_ratio', label: 'Not zero', format: percent},
          {key: 'max_column_sum', label: 'Largest column sum', format: count},
          {key: 'adc_bits', label: 'ADC bits'},
          {key: 'conversions', label: 'Conversions', format: count},
          {key: 'clipped', label: 'Clipped', format: count},
        ],
        rows: cells.map(({layer, slice, column}) => [
          layer.name,
          column,
          slice.width,
          slice.nonzero,
          slice.largest,
          slice.bits,
          slice.conversions,
          slice.clipped,
        ]),
      }),
    });
  };
})();
