/** Account ids in ARNs and registries become dots: a plan is shown around. */
export function masked(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/(?<=:)\d{12}(?=:)|\b\d{12}(?=\.dkr\.ecr\.)/g, '…');
  }
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, masked(entry)]));
}
