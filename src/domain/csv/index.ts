export { decodeText, type DecodedText, type TextProblem } from './decode.js';
export { sniffDelimiter, type Delimiter } from './delimiter.js';
export { scanCsv, scanCsvInPieces, type CsvProblem, type CsvScan, type RowSink } from './read.js';
export { csvRecords, csvRows } from './rows.js';
export { csvLine, csvText } from './write.js';
