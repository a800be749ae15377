import { LocalArchives } from '../adapters/local/archives.js';
import { CanvasPictures } from '../adapters/local/canvas-pictures.js';
import { DuckDbTables } from '../adapters/local/duckdb-tables.js';
import { LocalToolRunner } from '../adapters/local/tool-runner.js';
import { createFiles } from './create-files.js';
import type { StepIo } from '../steps/step.js';

/** The adapters a step works with on this machine, around the two folders it is given. */
export function createStepIo(folders: Pick<StepIo, 'outputFolder' | 'scratchFolder'>): StepIo {
  return {
    files: createFiles(),
    tools: new LocalToolRunner(),
    tables: new DuckDbTables(),
    pictures: new CanvasPictures(),
    archives: new LocalArchives(),
    ...folders,
  };
}
