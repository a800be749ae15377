import type { Plan } from '../app/plan/make-plan.js';
import { GB, MB, type Estimate, type SizeSummary } from '../domain/costs/index.js';

function duration(hours: number): string {
  const minutes = hours * 60;
  if (minutes < 1) return `${Math.ceil(minutes * 60)} s`;
  if (minutes < 100) return `${minutes.toFixed(minutes < 10 ? 1 : 0)} min`;
  return `${hours.toFixed(1)} h`;
}

function dollars(value: number | null): string {
  return value === null ? 'no price' : `$${value.toFixed(2)}`;
}

function sizesLine(what: string, { count, bytes, median, p95, largest }: SizeSummary): string {
  const mb = (value: number): string => `${(value / MB).toFixed(0)} MB`;
  return `${what}: ${count}, ${bytes < GB ? mb(bytes) : `${(bytes / GB).toFixed(1)} GB`} in all (median ${mb(median)}, p95 ${mb(p95)}, largest ${mb(largest)})`;
}

function estimateLines(estimate: Estimate): string[] {
  const { modality, executor, where, hours, dollars: cost, lines, monthly, needs, notes } = estimate;
  const machine = cost === 0 && lines.length === 0 ? 'no dollars of an account' : dollars(cost);
  const rows = [`  ${modality} ${executor}: ${duration(hours)}, ${machine} (${where})`];
  for (const { what, dollars: part, how } of lines) rows.push(`      ${what} ${dollars(part)}: ${how}`);
  for (const { what, dollars: part, how } of monthly) rows.push(`      ${what} ${dollars(part)} a month: ${how}`);
  for (const { quota, least } of needs) rows.push(`      needs the quota "${quota}": ${least}`);
  for (const note of notes) rows.push(`      ${note}`);
  return rows;
}

/** A plan for people. */
export function planLines(plan: Plan): string[] {
  const { sizes, estimates, assumptions, prices, original } = plan;
  const lines: string[] = [];
  if (sizes.imaging.count > 0) lines.push(sizesLine('studies', sizes.imaging));
  if (sizes.genomics.count > 0) lines.push(sizesLine('samples', sizes.genomics));
  if (sizes.unknown > 0) {
    const guessed = Object.entries(sizes.assumed ?? {}).map(
      ([kind, bytes]) => `${(bytes / MB).toFixed(0)} MB a ${kind === 'imaging' ? 'study' : 'sample'}`,
    );
    const instead = guessed.length === 0 ? '' : `; where none is known, with ${guessed.join(' and ')}`;
    lines.push(`${sizes.unknown} units of unknown size are planned with the median of the others${instead}`);
  }
  lines.push('', 'with each executor:');
  for (const estimate of estimates) lines.push(...estimateLines(estimate));
  if (sizes.imaging.count > 0) {
    lines.push(
      '',
      `the original: ${original.studies} studies in ${original.minutes} minutes, ${original.minutesPerStudy} minutes each and ` +
        `${original.atOnce} at once; about $${original.dollars} for its whole walkthrough`,
      `  its way with ${sizes.imaging.count} studies: ${original.minutesForTheseStudies} minutes ` +
        `(its Map runs ${original.atOnceInTruth} at once, not ${original.atOnce}, so rather longer)`,
    );
  }
  lines.push('', 'assumed:');
  for (const { about, value, unit, measured, source } of Object.values(assumptions)) {
    lines.push(`  ${about}: ${value} ${unit} (${measured ? 'measured' : 'not measured'}; ${source})`);
  }
  const standIn = prices.ofRegion ? '' : ', which stands in for a Region that the table lacks';
  lines.push(`prices: ${prices.region}${standIn}, ${prices.date}, ${prices.source}`);
  if (!prices.verified) lines.push('  nobody has checked these prices against their source');
  return lines;
}
