/** The machines that samples are given to, with what the settings leave open. */
export interface DragenMachine {
  /** In order of preference. */
  readonly instanceTypes: readonly string[];
  readonly rootVolume: { readonly type: string; readonly gb: number };
  /** Minutes that a sample may take. */
  readonly maxMinutes: number;
}

/** As far as settings say what a machine is. */
export interface DragenMachineSettings {
  readonly profile?: string;
  readonly instanceTypes?: readonly string[];
  readonly rootVolume?: { readonly type?: string; readonly gb?: number };
  readonly maxMinutes?: number;
}

const CURRENT = { instanceTypes: ['f2.6xlarge'], rootVolume: { type: 'gp3', gb: 100 } } as const;

/** The article's. F1 was retired on 2025-12-20; whoever has it by another name sets that. */
const OF_PROFILE: Readonly<Record<string, Pick<DragenMachine, 'instanceTypes' | 'rootVolume'>>> = {
  seed: { instanceTypes: ['f1.4xlarge'], rootVolume: { type: 'gp2', gb: 100 } },
};

const MAX_MINUTES = 360;

/**
 * The machines of a command profile.
 *
 * @param profile that of the run; that of the settings when absent
 */
export function dragenMachine(
  { dragen = {} }: { readonly dragen?: DragenMachineSettings },
  profile = dragen.profile,
): DragenMachine {
  const usual = (profile === undefined ? undefined : OF_PROFILE[profile]) ?? CURRENT;
  return {
    instanceTypes: dragen.instanceTypes ?? usual.instanceTypes,
    rootVolume: { ...usual.rootVolume, ...dragen.rootVolume },
    maxMinutes: dragen.maxMinutes ?? MAX_MINUTES,
  };
}
