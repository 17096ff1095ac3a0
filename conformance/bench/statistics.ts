// Medians, ratios and the bars that tsrun has to clear.

export interface Row {
  /** What was measured, as the table names it. */
  name: string;
  unit: 'ms' | 'KiB';
  /** Value by runtime; undefined: it failed. */
  values: Map<string, number | undefined>;
  samples: number;
  /** Like values, but the fastest tenth. */
  fastest: Map<string, number | undefined>;
  failures: Map<string, string>;
  /** value(tsrun) ≤ factor × value(peer), or ≤ factor in the row's unit without a peer. */
  bars: { peer?: string; factor: number }[];
}

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The time that a tenth of the samples undercut: what is left when other work on the machine is taken away. */
export function fastest(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 10)];
}

export function ratio(row: Row, runtime: string, peer: string): number | undefined {
  const value = row.values.get(runtime);
  const other = row.values.get(peer);
  return value === undefined || other === undefined || other === 0 ? undefined : value / other;
}

/** One line a bar: whether `runtime` clears it. */
export function judge(row: Row, runtime: string): { text: string; met: boolean }[] {
  return row.bars.map(({ peer, factor }) => {
    const value = row.values.get(runtime);
    if (peer === undefined) {
      return { text: `≤ ${factor} ${row.unit}`, met: value !== undefined && value <= factor };
    }
    const times = ratio(row, runtime, peer);
    return { text: `≤ ${+factor.toFixed(2)} × ${peer}`, met: times !== undefined && times <= factor };
  });
}

export function format(row: Row, runtime: string): string {
  const value = row.values.get(runtime);
  if (value === undefined) return 'failed';
  if (row.unit === 'ms') return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(1)} ms`;
  return value >= 1024 ? `${+(value / 1024).toFixed(1)} MiB` : `${Math.round(value)} KiB`;
}
