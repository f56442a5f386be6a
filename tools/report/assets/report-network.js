// SPDX-License-Identifier: Apache-2.0
// The network as a graph of its stages, with where each lies.
'use strict';
(() => {
  const {element, section, table, si, count, percent, chart, tip, ink} = bitline;
  const {data, layers} = report;

  // Depth of each stage: behind all that it reads.
  function depths() {
    const depth = new Array(layers.length).fill(0);
    for (const layer of layers)
      for (const from of layer.inputs)
        if (from < layer.index) depth[layer.index] = Math.max(depth[layer.index], depth[from] + 1);
    return depth;
  }

  // Ranks flow down and go on in the next column, as text does.
  function arrange(width) {
    const depth = depths();
    const ranks = [];
    layers.forEach((layer, at) => (ranks[depth[at]] ||= []).push(layer));
    const rows = ranks.filter(Boolean);
    const across = Math.max(...rows.map((rank) => rank.length));
    const columns = Math.max(
      1,
      Math.min(Math.floor(width / Math.max(190, Math.min(across, 4) * 120)), Math.ceil(rows.length / 6)),
    );
    const perColumn = Math.ceil(rows.length / columns);
    const step = perColumn > 60 ? 26 : 46;
    const columnWidth = width / columns;
    const box = Math.max(40, Math.min(150, columnWidth / Math.min(across, 4) - 14));
    const places = new Array(layers.length);
    rows.forEach((rank, at) => {
      const column = Math.floor(at / perColumn);
      rank.forEach((layer, i) => {
        const inner = Math.min(columnWidth - 16, rank.length * (box + 12));
        places[layer.index] = {
          x: column * columnWidth + columnWidth / 2 + ((i + 0.5) / rank.length - 0.5) * inner,
          y: ((at % perColumn) + 0.5) * step + 8,
          column,
          box: Math.min(box, inner / rank.length - 6),
        };
      });
    });
    const tall = Math.min(30, step - 12);
    return {places, step, columnWidth, tall, gap: (step - tall) / 2, height: perColumn * step + 16};
  }

  const kinds = {crossbars: 'crossbars', digital: 'digital units', link: 'link'};
  const mapping = (layer) =>
    layer.crossbars > 0
      ? `${count(layer.crossbars)} crossbars in ${count(layer.tiles)} tiles${layer.replicas > 1 ? `, ${count(layer.replicas)} copies` : ''}`
      : layer.slices.length > 0
        ? 'on the crossbars of another layer'
        : kinds[report.kindOf(layer)];

  function graph(grid) {
    if (!layers.some((layer) => layer.inputs.length > 0)) return;
    const ids = (layer) => layer.placement.map((part) => part.tile);
    chart({
      into: grid,
      id: 'network-graph',
      title: 'Network and its mapping',
      wide: true,
      canvas: layers.length > 300,
      describe: `${layers.length} stages with the streams between them.`,
      note: 'Stages of the pipeline in order, from the top down and on to the right. Hover for what a stage does and where it lies.',
      height: ({width}) => arrange(width).height,
      option: ({theme, width}) => {
        const {places, tall, step, gap, columnWidth, height} = arrange(width);
        const colours = {crossbars: theme.series[0], digital: theme.series[3], link: theme.series[8]};
        const edges = layers.flatMap((layer) => layer.inputs.map((from) => ({from, to: layer.index})));
        return {
          tooltip: {
            formatter: ({dataIndex, seriesIndex}) => {
              if (seriesIndex === 0) return '';
              const layer = layers[dataIndex];
              const tiles = ids(layer);
              return tip(layer.name, [
                ['operators', report.short(layer.operators.join(', ') || layer.op, 44)],
                ['on', mapping(layer)],
                ...(layer.rows > 0
                  ? [
                      ['matrix', `${count(layer.rows)} × ${count(layer.cols)}`],
                      ['cells with a weight', percent(layer.cell_utilization)],
                    ]
                  : []),
                ...(tiles.length > 0
                  ? [
                      [
                        'tiles',
                        `${tiles.slice(0, 6).join(', ')}${tiles.length > 6 ? `, … (${count(tiles.length)})` : ''}`,
                      ],
                    ]
                  : []),
                ['MACs of an image', count(layer.macs)],
                ['energy', si(layer.energy.total, 'J')],
                ['latency', si(layer.latency_s, 's')],
              ]);
            },
          },
          legend: bitline.legend(theme, {show: false}),
          xAxis: {type: 'value', min: 0, max: width, show: false},
          yAxis: {type: 'value', min: 0, max: height, inverse: true, show: false},
          grid: {left: 0, right: 0, top: 0, bottom: 0},
          series: [
            {
              type: 'custom',
              silent: true,
              z: 1,
              data: edges.map((_, at) => [at, 0]),
              renderItem: ({dataIndex}) => {
                const {from, to} = edges[dataIndex];
                const [a, b] = [places[from], places[to]];
                const style = {stroke: theme.control, lineWidth: 1.4, fill: 'none'};
                const [bottom, top] = [a.y + tall / 2, b.y - tall / 2];
                if (a.column !== b.column) {
                  // down, along the gap below, up or down between the columns, and in from above
                  const between = b.column * columnWidth - 4 + (8 * ((to % 5) - 2)) / 5;
                  return {
                    type: 'polyline',
                    shape: {
                      points: [
                        [a.x, bottom],
                        [a.x, bottom + gap],
                        [between, bottom + gap],
                        [between, top - gap],
                        [b.x, top - gap],
                        [b.x, top],
                      ],
                      smooth: 0,
                    },
                    style,
                  };
                }
                if (b.y - a.y > step * 1.5 && Math.abs(a.x - b.x) < 4) {
                  // around what lies between
                  const side = a.x + Math.max(a.box, b.box) / 2;
                  const away = side + 30;
                  return {
                    type: 'bezierCurve',
                    shape: {
                      x1: a.x + a.box / 2,
                      y1: a.y,
                      x2: b.x + b.box / 2,
                      y2: b.y,
                      cpx1: away,
                      cpy1: a.y,
                      cpx2: away,
                      cpy2: b.y,
                    },
                    style,
                  };
                }
                return {
                  type: 'bezierCurve',
                  shape: {
                    x1: a.x,
                    y1: bottom,
                    x2: b.x,
                    y2: top,
                    cpx1: a.x,
                    cpy1: bottom + gap * 2,
                    cpx2: b.x,
                    cpy2: top - gap * 2,
                  },
                  style,
                };
              },
            },
            {
              type: 'custom',
              z: 2,
              data: layers.map((layer) => [layer.index, 0]),
              renderItem: ({dataIndex}) => {
                const layer = layers[dataIndex];
                const {x, y, box} = places[dataIndex];
                const paint = colours[report.kindOf(layer)];
                return {
                  type: 'group',
                  children: [
                    {
                      type: 'rect',
                      shape: {x: x - box / 2, y: y - tall / 2, width: box, height: tall, r: 6},
                      style: {fill: paint},
                      emphasis: {style: {stroke: theme.text, lineWidth: 2}},
                    },
                    {
                      type: 'text',
                      silent: true,
                      style: {
                        text: layer.name,
                        x,
                        y,
                        width: box - 10,
                        overflow: 'truncate',
                        fontSize: tall < 20 ? 10 : 12,
                        align: 'center',
                        verticalAlign: 'middle',
                        fill: ink(paint),
                      },
                    },
                  ],
                };
              },
            },
          ],
        };
      },
      table: () => ({
        columns: [
          {key: 'layer', label: 'Layer'},
          {key: 'operators', label: 'Operators'},
          {key: 'inputs', label: 'Reads'},
          {key: 'on', label: 'On'},
          {key: 'crossbars', label: 'Crossbars', format: count},
          {key: 'copies', label: 'Copies', format: count},
          {key: 'imas', label: 'IMAs', format: count},
          {key: 'tiles', label: 'Tiles'},
          {key: 'rows', label: 'Rows', format: count},
          {key: 'cols', label: 'Columns', format: count},
          {key: 'macs', label: 'MACs', format: count},
        ],
        rows: layers.map((layer) => [
          layer.name,
          layer.operators.join('; ') || layer.op,
          layer.inputs.map((from) => layers[from].name).join('; '),
          kinds[report.kindOf(layer)],
          layer.crossbars,
          layer.replicas,
          layer.imas,
          ids(layer).join(' '),
          layer.rows,
          layer.cols,
          layer.macs ?? null,
        ]),
      }),
      at: (row) => ({seriesIndex: 1, dataIndex: row}),
    });
  }

  report.network = () => {
    if (!layers.some((layer) => layer.inputs.length > 0)) return;
    graph(section('network', 'Network'));
  };
})();
