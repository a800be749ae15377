import type { ModalityProgress, RunProgress } from '../app/run-progress.js';
import type { FanOutProgress } from '../contracts/progress.js';

const ORDER = ['imaging', 'genomics', 'clinical'] as const;

/** `1:05` or `2:03:09`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Time left at the pace so far; undefined before anything has ended. */
function timeLeft({ total, done, reused, failed, cancelled }: FanOutProgress, elapsed: number): number | undefined {
  const ended = done + reused + failed + cancelled;
  return ended === 0 || ended === total ? undefined : ((total - ended) * elapsed) / ended;
}

/** An answer older than this is shown with its age. */
const FRESH_MS = 3_000;

/** What is unusual about how a modality runs now. */
function remarks({ paused, breaker, startRate, pool, retried, asOf, note }: ModalityProgress, now: number): string {
  const age = now - Date.parse(asOf);
  const found = [
    ...(breaker === undefined ? [] : [`PAUSED after ${breaker.failures} × ${breaker.code} in a row`]),
    ...(paused && breaker === undefined ? ['paused'] : []),
    ...(startRate === 0 ? [] : [`at most ${startRate} started a minute`]),
    ...(note === undefined ? [] : [note]),
    ...(pool === undefined ? [] : [`${pool.slots} slots of pool ${pool.name}`]),
    ...(retried === 0 ? [] : [`${retried} retried`]),
    ...(age > FRESH_MS ? [`as of ${clock(age / 1000)} ago`] : []),
  ];
  return found.map((remark) => `, ${remark}`).join('');
}

/** One line per modality: what is done, reused, failed and running, and the time left. */
export function progressLines(progress: RunProgress, now: number): string[] {
  const elapsed = (now - Date.parse(progress.startedAt)) / 1000;
  const lines = ORDER.flatMap((name) => {
    const one = progress.modalities[name];
    if (one === undefined) return [];
    const left = timeLeft(one, elapsed);
    const counts = `${one.done} done, ${one.reused} reused, ${one.failed} failed, ${one.running} running of ${one.total}`;
    const time = left === undefined || one.paused ? '' : `, ${clock(left)} left`;
    return [`${name.padEnd(9)} ${counts}${time}${remarks(one, now)}`];
  });
  return [...lines, `${progress.phase.padEnd(9)} ${clock(elapsed)}`];
}

/**
 * Shows live progress on standard error: redrawn in place on a terminal, else a line whenever a modality's counts changed,
 * at most every few seconds.
 */
export class ProgressView {
  private drawn = 0;
  private last = '';
  private lastAt = 0;

  constructor(
    private readonly stream: NodeJS.WriteStream = process.stderr,
    private readonly live = process.stderr.isTTY && process.env['NO_COLOR'] === undefined,
    private readonly quietMs = 3_000,
  ) {}

  show(progress: RunProgress, now = Date.now()): void {
    const lines = progressLines(progress, now);
    if (this.live) {
      this.clear();
      this.stream.write(lines.map((line) => `${line}\n`).join(''));
      this.drawn = lines.length;
      return;
    }
    // The clock alone is no news.
    const news = lines.slice(0, -1).map((line) => line.replace(/, \S+ left$/, ''));
    const text = [...news, progress.phase].join('\n');
    if (text === this.last || now - this.lastAt < this.quietMs) return;
    this.last = text;
    this.lastAt = now;
    for (const line of lines) this.stream.write(`${line}\n`);
  }

  /** Takes the live lines away, before other output. */
  clear(): void {
    if (this.drawn > 0) this.stream.write(`\u001b[${this.drawn}A\u001b[J`);
    this.drawn = 0;
  }
}
