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

/** Id of one lane of a large cohort. The `~` cannot start a case id, so lanes and units never meet. */
export function laneWorkflowId(cohortId: string, lane: number): string {
  return `${cohortId}/~lane-${lane}`;
}
