/** Modalities that fan out, one child per unit. */
export type FanOutModality = 'imaging' | 'genomics';
export type Modality = FanOutModality | 'clinical';

/** Id of a modality's workflow below a multimodal cohort. */
export function modalityWorkflowId(rootId: string, modality: Modality): string {
  return `${rootId}/${modality}`;
}

/** Id of the child of one unit; `key` is `case` or `case/study`. Case ids are pseudonyms by contract. */
export function unitWorkflowId(cohortId: string, key: string): string {
  return `${cohortId}/${key}`;
}

/**
 * Id of one lane of a large cohort, or of a retry within one. The `~` cannot start a case id, so lanes and units never
 * meet.
 */
export function laneWorkflowId(cohortId: string, lane: number, round = 0): string {
  return round === 0 ? `${cohortId}/~lane-${lane}` : `${cohortId}/~retry-${round}-lane-${lane}`;
}

/** Id of the workflow that keeps a pool which cohorts share. */
export function poolWorkflowId(pool: string): string {
  return `cohortflow-pool-${pool}`;
}
