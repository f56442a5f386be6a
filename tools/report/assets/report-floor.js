// SPDX-License-Identifier: Apache-2.0
// The tiles of the chips as they lie, coloured by what they have or do.
'use strict';
(() => {
  const {si, count, percent, chart, tip, ink, shade} = bitline;
  const {data} = report;

  // Column and row of a tile; chips lie in a near-square arrangement with a gap between them.
  function place(id) {
    const {tiles, mesh_width: width} = data.machine;
    const columns = Math.min(width, tiles);
    const rows = Math.ceil(tiles / width);
    const across = Math.ceil(Math.sqrt((data.chips * rows) / columns));
    const chip = Math.floor(id / tiles);
    const own = id % tiles;
    return {
      chip,
      x: (chip % across) * (columns + 0.35) + (own % width),
      y: Math.floor(chip / across) * (rows + 0.35) + Math.floor(own / width),
    };
  }

  function floor() {
    const used = new Map(report.tilesOf().map((tile) => [tile.id, tile]));
    const all = [];
    for (let id = 0; id < data.machine.tiles * data.chips; ++id)
      all.push({id, crossbars: 0, imas: 0, power: 0, layers: [], ...used.get(id), ...place(id)});
    return all;
  }

  report.floorplan = (grid) => {
    // A result of another origin may claim any number of tiles.
    if (!report.placed || data.machine.tiles * data.chips > 200000) return;
    const tiles = floor();
    const capacity = data.machine.tile_imas * data.machine.ima_crossbars;
    const columns = Math.max(...tiles.map((tile) => tile.x)) + 1;
    const rows = Math.max(...tiles.map((tile) => tile.y)) + 1;
    const busiest = Math.max(...tiles.map((tile) => tile.power));
    const phases = data.reprogramming ? data.reprogramming.phases : 1;
    const main = (tile) =>
      tile.layers.reduce((best, one) => (!best || one.crossbars > best.crossbars ? one : best), null);
    const ordered = tiles.filter((tile) => tile.layers.length > 0).sort((a, b) => a.id - b.id);
    const fill = Math.max(1e-9, ...tiles.map((tile) => tile.crossbars / capacity));
    const colour = (tile, choice, theme) => {
      if (tile.layers.length === 0) return theme.page;
      if (choice.colour === 'layer') return theme.series[main(tile).layer.index % theme.series.length];
      const share =
        choice.colour === 'power' ? (busiest > 0 ? tile.power / busiest : 0) : tile.crossbars / capacity / fill;
      return shade(theme.scale.slice(1), share);
    };
    const name = (tile) =>
      data.chips > 1 ? `tile ${tile.id % data.machine.tiles} of chip ${tile.chip}` : `tile ${tile.id}`;
    const text = (tile, choice) => {
      if (tile.layers.length === 0) return '';
      if (choice.colour === 'layer')
        return tile.layers.length > 1 ? `${main(tile).layer.name} +${tile.layers.length - 1}` : main(tile).layer.name;
      return choice.colour === 'power' ? si(tile.power, 'W') : percent(tile.crossbars / capacity);
    };
    chart({
      into: grid,
      id: 'floorplan',
      title: 'Floorplan',
      canvas: tiles.length > 600,
      wide: data.chips > 1 || columns > 24,
      describe: `${count(tiles.length)} tiles, ${count(ordered.length)} of them used.`,
      note: `${count(ordered.length)} of ${count(tiles.length)} tiles used${data.chips > 1 ? `, ${count(data.chips)} chips` : ''}. Utilisation: crossbars in use of the ${count(capacity)} of a tile${
        phases > 1 ? `, over ${phases} phases` : ''
      }. Power: mean over the run, that of a layer shared by its crossbars in each tile, without crossbars equally.`,
      height: ({width}) => Math.max(160, Math.min(640, (width / columns) * rows * 0.8) + 12) + 26,
      controls: [
        {
          label: 'Colour',
          name: 'colour',
          choices: [
            {value: 'layer', label: 'layer'},
            {value: 'utilisation', label: 'utilisation'},
            {value: 'power', label: 'power'},
          ],
        },
      ],
      option: ({theme, choice}) => ({
        grid: {left: 2, right: 2, top: 6, bottom: 32},
        visualMap:
          choice.colour === 'layer'
            ? undefined
            : report.scaleLegend(
                theme,
                theme.scale.slice(1),
                choice.colour === 'power' ? '0 W' : '0 %',
                choice.colour === 'power' ? si(busiest, 'W') : percent(fill),
              ),
        tooltip: {
          formatter: ({dataIndex}) => {
            const tile = tiles[dataIndex];
            if (tile.layers.length === 0) return tip(name(tile), [['not used', '']]);
            return tip(name(tile), [
              ['crossbars', `${count(tile.crossbars)} of ${count(capacity)}`],
              ['IMAs', `${count(tile.imas)} of ${count(data.machine.tile_imas)}`],
              ['power', si(tile.power, 'W')],
              ...tile.layers
                .slice(0, 8)
                .map((one) => [
                  report.short(one.layer.name),
                  one.crossbars > 0 ? `${count(one.crossbars)} crossbars` : one.imas > 0 ? '' : 'runs here',
                ]),
              ...(tile.layers.length > 8 ? [[`${tile.layers.length - 8} more`, '']] : []),
            ]);
          },
        },
        xAxis: {type: 'value', min: 0, max: columns, show: false},
        yAxis: {type: 'value', min: 0, max: rows, inverse: true, show: false},
        series: [
          {
            type: 'custom',
            clip: true,
            encode: {x: 0, y: 1},
            data: tiles.map((tile) => [tile.x, tile.y]),
            renderItem: (parameters, api) => {
              const tile = tiles[parameters.dataIndex];
              const [left, top] = api.coord([tile.x, tile.y]);
              const [width, height] = api.size([1, 1]);
              const paint = colour(tile, choice, theme);
              const gap = width > 8 ? 1.5 : 0.25;
              const shape = {
                x: left + gap,
                y: top + gap,
                width: width - 2 * gap,
                height: height - 2 * gap,
                r: Math.min(4, width / 8),
              };
              const children = [
                {
                  type: 'rect',
                  shape,
                  style: {fill: paint, stroke: tile.layers.length > 0 ? 'none' : theme.line},
                  emphasis: {style: {stroke: theme.text, lineWidth: 2}},
                },
              ];
              const label = text(tile, choice);
              if (label && width > 44 && height > 14)
                children.push({
                  type: 'text',
                  silent: true,
                  style: {
                    text: label,
                    x: left + width / 2,
                    y: top + height / 2,
                    width: width - 8,
                    overflow: 'truncate',
                    fontSize: width > 70 ? 12 : 10,
                    align: 'center',
                    verticalAlign: 'middle',
                    fill: ink(paint),
                  },
                });
              return {type: 'group', children};
            },
          },
        ],
      }),
      table: () => ({
        columns: [
          {key: 'tile', label: 'Tile'},
          {key: 'chip', label: 'Chip'},
          {key: 'layers', label: 'Layers'},
          {key: 'crossbars', label: 'Crossbars', format: count},
          {key: 'imas', label: 'IMAs', format: count},
          {key: 'utilisation', label: 'Utilisation', format: percent},
          {key: 'power_w', label: 'Power', format: (v) => si(v, 'W')},
        ],
        rows: ordered.map((tile) => [
          tile.id % data.machine.tiles,
          tile.chip,
          tile.layers.map((one) => one.layer.name).join(' '),
          tile.crossbars,
          tile.imas,
          tile.crossbars / capacity,
          tile.power,
        ]),
      }),
      at: (row) => ({seriesIndex: 0, dataIndex: ordered[row].id}),
    });
  };
})();
