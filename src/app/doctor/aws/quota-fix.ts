/** How a quota is raised. */
export function increase(service: string, code: string, name: string, wanted: number): string {
  return (
    `ask for more: aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} ` +
    `--desired-value ${wanted} (console: Service Quotas, "${name}")`
  );
}
