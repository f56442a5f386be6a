// SPDX-License-Identifier: Apache-2.0
// How near layers come to the limits of a tile, and how busy parts that many share are.
'use strict';
(() => {
  const {si, tick, plain, count, percent, chart, axis, frame, legend, tip} = bitline;
  const {data, layers} = report;

  report.roofline = (grid) => {
    const {
      tile_macs_per_s: peak,
      tile_bytes_per_s: bandwidth,
      tile_imas: imas,
      ima_crossbars: crossbars,
    } = data.machine;
    const points = layers
      .filter((layer) => layer.crossbars > 0 && layer.macs > 0 && layer.bus_bytes > 0 && layer.latency_s > 0)
      .map((layer) => {
        const tiles = Math.max(1, layer.tiles);
        return {
          layer,
          tiles,
          intensity: layer.macs / layer.bus_bytes,
          rate: (layer.macs * report.images) / layer.latency_s / tiles,
          own: (peak * layer.crossbars) / (imas * crossbars) / tiles,
        };
      });
    if (points.length === 0 || !(peak > 0) || !(bandwidth > 0)) return;
    const ridge = peak / bandwidth;
    const decade = (value, round) => 10 ** round(Math.log10(2 * value)) / 2;
    const low = decade(Math.min(ridge, ...points.map((p) => p.intensity)) / 1.2, Math.floor);
    const high = decade(Math.max(ridge, ...points.map((p) => p.intensity)) * 1.2, Math.ceil);
    const floor = decade(Math.min(...points.map((p) => p.rate)) / 1.2, Math.floor);
    const ops = (v) => si(2 * v, 'OPS');
    chart({
      into: grid,
      id: 'roofline',
      title: 'Roofline',
      describe: 'Layers by operations per byte and attained operations per second, under the limits of a tile.',
      note: 'Of a tile that the layer lies in: operations per byte between eDRAM and IMAs against operations per second while the layer is at it (two per MAC). Lines: what all crossbars of a tile, full and always read, could do, and what its bus brings. A layer that has few crossbars in a tile stays far below.',
      height: 420,
      option: ({theme, narrow}) => ({
        grid: frame({top: 16, right: 20, bottom: 30, left: 10}),
        tooltip: {
          formatter: ({seriesIndex, dataIndex}) => {
            if (seriesIndex > 0)
              return tip('limits of a tile', [
                ['operations', ops(peak)],
                ['eDRAM to IMAs', si(bandwidth, 'B/s')],
                ['ridge', `${plain(2 * ridge)} OP/B`],
              ]);
            const p = points[dataIndex];
            return tip(p.layer.name, [
              ['intensity', `${plain(2 * p.intensity)} OP/B`],
              ['attained, of a tile', ops(p.rate)],
              ['limit of its own crossbars', ops(p.own)],
              ['share of it', percent(p.rate / p.own)],
              ['tiles', count(p.tiles)],
              ['crossbars', count(p.layer.crossbars)],
            ]);
          },
        },
        xAxis: axis(theme, {
          type: 'log',
          min: 2 * low,
          max: 2 * high,
          name: 'operations per byte',
          nameLocation: 'middle',
          nameGap: 28,
          axisLabel: {formatter: plain, hideOverlap: true},
        }),
        yAxis: axis(theme, {
          type: 'log',
          min: 2 * floor,
          max: 2 * decade(peak * 1.2, Math.ceil),
          axisLabel: {formatter: (v) => tick(v, 'OPS'), hideOverlap: true},
        }),
        series: [
          {
            type: 'scatter',
            symbolSize: narrow ? 10 : 12,
            itemStyle: {opacity: 1, color: theme.series[0], borderColor: theme.surface, borderWidth: 1},
            z: 3,
            data: points.map((p) => ({name: p.layer.name, value: [2 * p.intensity, 2 * p.rate]})),
            labelLayout: {hideOverlap: true, moveOverlap: 'shiftY'},
            label: {
              show: points.length <= 16,
              position: 'right',
              color: theme.text,
              fontSize: 11,
              formatter: ({name}) => report.short(name, 14),
            },
          },
          {
            type: 'line',
            symbol: 'none',
            lineStyle: {color: theme.muted, width: 2},
            data: [
              [2 * low, 2 * low * bandwidth],
              [2 * ridge, 2 * peak],
              [2 * high, 2 * peak],
            ],
            endLabel: {show: false},
            markPoint: {
              symbol: 'circle',
              symbolSize: 1,
              label: {color: theme.muted, position: 'top', fontSize: 11, formatter: () => ops(peak)},
              data: [{coord: [2 * Math.sqrt(ridge * high), 2 * peak]}],
            },
          },
        ],
      }),
      table: () => ({
        columns: [
          {key: 'layer', label: 'Layer'},
          {key: 'op_per_byte', label: 'Operations per byte', format: plain},
          {key: 'ops_per_tile', label: 'Attained, of a tile', format: (v) => si(v, 'OPS')},
          {key: 'own_limit_ops', label: 'Limit of its own crossbars', format: (v) => si(v, 'OPS')},
          {key: 'tiles', label: 'Tiles', format: count},
        ],
        rows: points.map((p) => [p.layer.name, 2 * p.intensity, 2 * p.rate, 2 * p.own, p.tiles]),
      }),
    });
  };

  report.contended = (grid) => {
    const used = (data.parts || []).filter((part) => part.used > 0);
    if (used.length === 0) return;
    chart({
      into: grid,
      id: 'parts',
      title: 'Contended parts',
      wide: true,
      describe: 'How busy parts that serve one request at a time are.',
      note: 'Busy share of the run: the mean of the parts that did anything, and the busiest of them.',
      height: Math.max(200, used.length * 30 + 64),
      option: ({theme, narrow}) => ({
        grid: frame({top: 34, right: 30}),
        legend: legend(theme),
        tooltip: {
          trigger: 'axis',
          axisPointer: {type: 'shadow'},
          formatter: (marks) => {
            const part = used[marks[0].dataIndex];
            return tip(report.label(part.name), [
              ['mean', percent(part.utilization)],
              ['busiest', percent(part.busiest)],
              ['used', count(part.used)],
              ['requests', count(part.requests)],
              ['had to wait', count(part.stalls)],
              ['waited, sum', si(part.stalled_s, 's')],
            ]);
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
          data: used.map((part) => report.label(part.name)),
          axisTick: {show: false},
          axisLabel: {color: theme.text},
        }),
        series: [
          {type: 'bar', name: 'mean', itemStyle: {color: theme.busy}, data: used.map((part) => part.utilization)},
          {type: 'bar', name: 'busiest', itemStyle: {color: theme.series[1]}, data: used.map((part) => part.busiest)},
        ],
      }),
      table: () => ({
        columns: [
          {key: 'part', label: 'Part'},
          {key: 'used', label: 'Used', format: count},
          {key: 'utilization', label: 'Mean', format: percent},
          {key: 'busiest', label: 'Busiest', format: percent},
          {key: 'requests', label: 'Requests', format: count},
          {key: 'stalls', label: 'Had to wait', format: count},
          {key: 'stalled_s', label: 'Waited, sum', format: (v) => si(v, 's')},
        ],
        rows: used.map((part) => [
          report.label(part.name),
          part.used,
          part.utilization,
          part.busiest,
          part.requests,
          part.stalls,
          part.stalled_s,
        ]),
      }),
    });
  };
})();
