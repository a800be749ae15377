export { formatAnnotation, readAnnotation, type Annotation } from './annotation.js';
export { sumByGene, withoutVersion, type GeneSums } from './gene-sums.js';
export { formatQuant, parseQuant, type QuantRow } from './quant-table.js';
