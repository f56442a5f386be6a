// SPDX-License-Identifier: Apache-2.0
// The result as the charts of the report want it: layers as objects again, components by level, tiles.
'use strict';
const report = (() => {
  const {data} = bitline;
  const columns = data.layers;
  const layers = Array.from({length: data.layer_count}, (_, index) => {
    const layer = {index};
    for (const [key, values] of Object.entries(columns)) layer[key] = values[index];
    const [total, dynamic, fixed, byComponent] = layer.energy_j;
    layer.energy = {total, dynamic, fixed, of: byComponent};
    const [input, output, bus, noc, adc] = layer.stalls_s;
    layer.stalls = {input, output, bus, noc, adc};
    layer.slices = layer.slices.map(([width, nonzero, largest, bits, conversions, clipped]) => ({
      width,
      nonzero,
      largest,
      bits,
      conversions,
      clipped,
    }));
    layer.inputs = layer.inputs.filter((from) => from >= 0 && from < data.layer_count);
    layer.placement = layer.placement.map(([tile, crossbars, imas]) => ({tile, crossbars, imas}));
    return layer;
  });
  const names = layers.map((layer) => layer.name);
  const images = data.provenance.images_streamed;
  const placed = data.machine.tiles > 0 && layers.some((layer) => layer.placement.length > 0);
  const total = data.latency_s.total;
  // Layers may work on pixels that no output needs, after the last output.
  const end = Math.max(total, ...layers.map((layer) => layer.start_s + layer.latency_s));

  // Where a component is: in every IMA, once a tile, or on the way between tiles and to the outside.
  const LEVELS = {
    IMA: ['crossbar', 'dac', 'sample_hold', 'adc', 'shift_add', 'input_register', 'output_register'],
    tile: [
      'edram',
      'bus',
      'tile_shift_add',
      'tile_output_register',
      'activation',
      'pooling',
      'elementwise',
      'requantise',
    ],
    network: ['router', 'chip_link'],
  };
  const levelOf = (component) => Object.keys(LEVELS).find((level) => LEVELS[level].includes(component)) || 'other';
  const levelName = {IMA: 'IMAs', tile: 'tiles', network: 'network and link', other: 'other'};
  const label = (component) => component.replaceAll('_', ' ');
  // [{name, at, value}] of a breakdown, largest first, without those that are 0.
  function parts(breakdown) {
    return data.components
      .map((name, at) => ({name, at, value: breakdown[name] || 0}))
      .filter((part) => part.value > 0)
      .sort((a, b) => b.value - a.value);
  }

  const kindOf = (layer) =>
    layer.crossbars > 0 || layer.slices.length > 0
      ? 'crossbars'
      : ['input', 'output', 'load', 'store'].includes(layer.op)
        ? 'link'
        : 'digital';
  // Long names keep both ends, which tell layers apart.
  function short(name, length = 22) {
    if (name.length <= length) return name;
    const head = Math.floor((length - 1) / 2);
    return `${name.slice(0, head)}…${name.slice(name.length - (length - 1 - head))}`;
  }

  // What each tile has of each layer. A layer's power is shared by its crossbars in each tile, without crossbars equally.
  function tilesOf() {
    const tiles = new Map();
    const tile = (id) => {
      if (!tiles.has(id)) tiles.set(id, {id, crossbars: 0, imas: 0, power: 0, layers: []});
      return tiles.get(id);
    };
    for (const layer of layers) {
      // On the crossbars of another layer it has IMAs only; a digital stage has neither.
      const weight = ['crossbars', 'imas'].find((key) => layer.placement.some((part) => part[key] > 0));
      const whole = layer.placement.reduce((sum, part) => sum + (weight ? part[weight] : 1), 0);
      const power = (layer.energy.total * images) / total;
      for (const part of layer.placement) {
        const share = (weight ? part[weight] : 1) / whole;
        const one = tile(part.tile);
        one.crossbars += part.crossbars;
        one.imas += part.imas;
        one.power += power * share;
        one.layers.push({layer, crossbars: part.crossbars, imas: part.imas, power: power * share});
      }
    }
    return [...tiles.values()].sort((a, b) => a.id - b.id);
  }

  // Height and zoom of a chart with a row per layer.
  function rowsHeight(rows, each, around, most = 900) {
    return Math.min(most, Math.max(2, rows) * each + around);
  }
  function rowZoom(theme, rows, each, around, most = 900) {
    const shown = Math.floor((most - around) / each);
    if (rows <= shown) return [];
    return [
      {
        type: 'slider',
        yAxisIndex: 0,
        right: 0,
        width: 14,
        startValue: 0,
        endValue: shown - 1,
        showDetail: false,
        brushSelect: false,
        borderColor: theme.line,
        fillerColor: theme.grid,
        handleStyle: {color: theme.surface, borderColor: theme.control},
      },
      {
        type: 'inside',
        yAxisIndex: 0,
        zoomOnMouseWheel: false,
        moveOnMouseWheel: false,
        moveOnMouseMove: false,
        startValue: 0,
        endValue: shown - 1,
      },
    ];
  }

  // What the colours of a scale stand for, below a chart.
  const scaleLegend = (theme, colours, low, high) => ({
    show: true,
    type: 'continuous',
    seriesIndex: 99,
    min: 0,
    max: 1,
    calculable: false,
    orient: 'horizontal',
    left: 'center',
    bottom: 0,
    itemWidth: 10,
    itemHeight: 120,
    inRange: {color: colours},
    text: [high, low],
    textStyle: {color: theme.muted, fontSize: 11},
    hoverLink: false,
  });

  return {
    data,
    layers,
    names,
    images,
    placed,
    total,
    end,
    LEVELS,
    levelOf,
    levelName,
    label,
    parts,
    kindOf,
    short,
    tilesOf,
    rowsHeight,
    rowZoom,
    scaleLegend,
  };
})();
