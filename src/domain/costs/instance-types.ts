/** vCPUs of the machines with an FPGA, by which their quotas count. */
const VCPUS: Readonly<Record<string, number>> = {
  'f1.2xlarge': 8,
  'f1.4xlarge': 16,
  'f1.16xlarge': 64,
  'f2.6xlarge': 24,
  'f2.12xlarge': 48,
  'f2.48xlarge': 192,
};

/** vCPUs of a machine type of the F family, undefined for others. */
export function vcpusOf(type: string): number | undefined {
  return Object.hasOwn(VCPUS, type) ? VCPUS[type] : undefined;
}
