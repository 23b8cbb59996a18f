import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { clockTime, decimal, minuteTime } from '../format.ts';

const HEIGHT_PX = 170;
const AXIS_PX = 52;
const TIME_AXIS_PX = 30;
const MARK_ROW_PX = 13;
/** Texts of marks close to each other stand in rows; one that finds no room in any is left out. */
const MARK_ROWS = 3;
const MARK_GAP_PX = 4;
const DARK = matchMedia('(prefers-color-scheme: dark)');

export interface ChartSeries {
  readonly name: string;
  /** A custom property of the style sheet, e.g. `--info`. */
  readonly colour: string;
  /** Lines are told apart by this, too. */
  readonly isDashed?: boolean;
  readonly values: readonly (number | null)[];
}

/** A moment worth a line of its own. */
export interface ChartMark {
  readonly atMs: number;
  readonly text: string;
}

export interface TimeChartProps {
  readonly title: string;
  /** Behind numbers, e.g. ` s`. */
  readonly unit?: string;
  /** ms since 1970, of the values of every series. A value holds until the next one. */
  readonly at: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly marks: readonly ChartMark[];
  readonly fromMs: number;
  readonly toMs: number;
}

/** Values over time as steps, with the moments that matter; in words for who can't see it. */
export function TimeChart(props: TimeChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart>(undefined);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const { current } = place;
    if (current === null) return;
    const draw = () => {
      chart.current?.end();
      chart.current = new Chart(current, () => latest.current);
    };
    draw();
    DARK.addEventListener('change', draw);
    const resized = new ResizeObserver(() => chart.current?.resize());
    resized.observe(current);
    return () => {
      DARK.removeEventListener('change', draw);
      resized.disconnect();
      chart.current?.end();
    };
  }, []);
  useEffect(() => chart.current?.update());
  return (
    <figure class="time-chart">
      <figcaption>{props.title}</figcaption>
      <div ref={place} role="img" aria-label={wordsOf(props)} />
    </figure>
  );
}

function wordsOf({ title, series, unit = '' }: TimeChartProps): string {
  const parts = series.map(({ name, values }) => {
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return `${name}: not known`;
    const last = decimal(known.at(-1));
    return `${name}: now ${last}${unit}, at most ${decimal(Math.max(...known))}${unit}`;
  });
  return `${title} over the last half hour. ${parts.join('; ')}.`;
}

class Chart {
  readonly #place: HTMLElement;
  readonly #props: () => TimeChartProps;
  readonly #plot: uPlot;

  constructor(place: HTMLElement, props: () => TimeChartProps) {
    this.#place = place;
    this.#props = props;
    this.#plot = new uPlot(this.#options(), this.#data(), place);
  }

  update(): void {
    this.#plot.setData(this.#data());
  }

  resize(): void {
    this.#plot.setSize({ width: this.#place.clientWidth, height: HEIGHT_PX });
  }

  end(): void {
    this.#plot.destroy();
  }

  /** The last value holds until now. */
  #data(): uPlot.AlignedData {
    const { at, series, toMs } = this.#props();
    if (at.length === 0) return [[], ...series.map(() => [])];
    const seconds = [...at, toMs].map((ms) => ms / 1_000);
    return [seconds, ...series.map(({ values }) => [...values, values.at(-1) ?? null])];
  }

  #options(): uPlot.Options {
    const { series, unit = '' } = this.#props();
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const grid = { stroke: colour('--line'), width: 1 };
    const axis = { stroke: colour('--quiet'), grid, ticks: grid, font: '12px system-ui' };
    const told = (value: number | null | undefined) =>
      value == null ? '–' : `${decimal(value)}${unit}`;
    const times = (_plot: uPlot, splits: number[]) => splits.map((at) => minuteTime(at * 1_000));
    const stepped = uPlot.paths.stepped?.({ align: 1 });
    return {
      width: this.#place.clientWidth,
      height: HEIGHT_PX,
      cursor: { sync: { key: 'time' }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: true, range: () => this.#range() },
        y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] },
      },
      axes: [
        { ...axis, size: TIME_AXIS_PX, values: times },
        { ...axis, size: AXIS_PX, values: (_plot, splits) => splits.map(decimal) },
      ],
      series: [
        { label: 'At', value: (_plot, at) => (at == null ? 'now' : clockTime(at * 1_000)) },
        ...series.map(({ name, colour: property, isDashed }, index) => ({
          label: name,
          stroke: colour(property),
          width: 2,
          ...(isDashed ? { dash: [6, 4] } : {}),
          ...(stepped === undefined ? {} : { paths: stepped }),
          points: { show: false },
          // Where nobody points, the last one.
          value: (_plot: uPlot, value: number | null, _series: number, at: number | null) =>
            told(at === null ? this.#props().series[index]?.values.at(-1) : value),
        })),
      ],
      hooks: { draw: [(plot) => this.#drawMarks(plot, colour('--info'))] },
    };
  }

  #range(): [number, number] {
    const { fromMs, toMs } = this.#props();
    return [fromMs / 1_000, toMs / 1_000];
  }

  #drawMarks(plot: uPlot, colour: string): void {
    const { marks, fromMs, toMs } = this.#props();
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.font = `${11 * devicePixelRatio}px system-ui`;
    ctx.textBaseline = 'top';
    ctx.textAlign = 'left';
    const gap = MARK_GAP_PX * devicePixelRatio;
    const rowEnds: number[] = Array.from({ length: MARK_ROWS }, () => Number.NEGATIVE_INFINITY);
    for (const { atMs, text } of marks.toSorted((a, b) => a.atMs - b.atMs)) {
      if (atMs < fromMs || atMs > toMs) continue;
      const x = Math.round(plot.valToPos(atMs / 1_000, 'x', true));
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const { width } = ctx.measureText(text);
      const isRight = x + gap + width > bbox.left + bbox.width;
      const begin = isRight ? x - gap - width : x + gap;
      const row = rowEnds.findIndex((end) => end + gap < begin);
      if (row === -1) continue;
      rowEnds[row] = begin + width;
      ctx.fillText(text, begin, bbox.top + 2 + row * MARK_ROW_PX * devicePixelRatio);
    }
    ctx.restore();
  }
}
