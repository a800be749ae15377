/**
 * The day of an ISO date (`2020-12-31`, `20201231`, with or without a time) as eight digits, whose order is that of time;
 * undefined for anything else: whether `01.02.2020` is in January or February nobody can tell.
 */
export function isoDay(text: string): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?!\d)|^(\d{4})(\d{2})(\d{2})(?!\d)/.exec(text.trim());
  return match === null ? undefined : match.slice(1).join('');
}
