export interface Summary {
  passed: number;
  failed: number;
  skipped: number;
  failures: string[];
  skips: Map<string, number>;
  reasons: Set<string>;
}

export function newSummary(): Summary;
export function countCheck(summary: Summary, title: string, passed: boolean): void;
export function countSkip(summary: Summary, title: string, reason: string): void;
export function noteReasons(summary: Summary, text: string): void;
export function addReport(summary: Summary, title: string, path: string, exitCode: number, root: string): void;
export function closing(summary: Summary): string;
