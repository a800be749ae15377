/** GB of local disk (NVMe) that machines of the F family have. */
const LOCAL_DISK_GB: Readonly<Record<string, number>> = {
  'f1.2xlarge': 470,
  'f1.4xlarge': 940,
  'f1.16xlarge': 940,
  'f2.6xlarge': 950,
  'f2.12xlarge': 950,
  'f2.48xlarge': 950,
};

/** GB of the largest single local disk of a machine type as far as it is known; 0 for others. */
export function localDiskGb(type: string): number {
  return LOCAL_DISK_GB[type] ?? 0;
}

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
