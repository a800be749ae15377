import { symmetricEigenvalues } from './eigenvalues.js';
import type { Cells } from './glcm-matrix.js';

/** A joint distribution of two levels: the cells' weights are probabilities. */
export interface Joint {
  readonly cells: Cells;
  /** Marginal probabilities of the voxel's and of its neighbour's level, by level index. */
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  /** The matrix equals its transpose. */
  readonly symmetrical: boolean;
}

/** Above this many levels the eigenvalue is found by iteration: all eigenvalues cost the cube of their number. */
const DENSE = 96;

/** M = p / √(p_x p_y) cell by cell. */
function normalised({ cells, rows, columns }: Joint): Float64Array {
  return cells.weights.map((p, at) => p / Math.sqrt(rows[cells.rows[at]!]! * columns[cells.columns[at]!]!));
}

function fromAllEigenvalues(joint: Joint): number {
  const { cells, rows, symmetrical } = joint;
  const n = rows.length;
  const m = new Float64Array(n * n);
  normalised(joint).forEach((value, at) => (m[cells.rows[at]! * n + cells.columns[at]!] = value));
  if (symmetrical) {
    const squares = symmetricEigenvalues(m, n).map((value) => value * value);
    return Math.sqrt(squares.sort()[n - 2]!);
  }
  const product = new Float64Array(n * n);
  for (let a = 0; a < n; a += 1) {
    for (let b = 0; b <= a; b += 1) {
      let sum = 0;
      for (let k = 0; k < n; k += 1) sum += m[a * n + k]! * m[b * n + k]!;
      product[a * n + b] = sum;
      product[b * n + a] = sum;
    }
  }
  return Math.sqrt(Math.max(0, symmetricEigenvalues(product, n)[n - 2]!));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += a[at]! * b[at]!;
  return sum;
}

/** Takes the part along each (unit) direction out of a vector, twice: once leaves too much rounding. */
function orthogonalise(vector: Float64Array, directions: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass += 1) {
    for (const direction of directions) {
      const part = dot(vector, direction);
      for (let at = 0; at < vector.length; at += 1) vector[at]! -= part * direction[at]!;
    }
  }
}

function scaled(vector: Float64Array, factor: number): Float64Array {
  return vector.map((value) => value * factor);
}

/** Largest eigenvalue of the symmetric tridiagonal matrix with this diagonal and these neighbours of it. */
function largestOfTridiagonal(diagonal: readonly number[], beside: readonly number[]): number {
  const n = diagonal.length;
  // Bisection on the number of eigenvalues above x (Sturm sequence; Golub and Van Loan, section 8.4).
  const noneAbove = (x: number): boolean => {
    let q = 1;
    for (let k = 0; k < n; k += 1) {
      const link = k === 0 ? 0 : beside[k - 1]! ** 2;
      q = diagonal[k]! - x - (k === 0 ? 0 : link / (q === 0 ? Number.MIN_VALUE : q));
      if (q > 0) return false;
    }
    return true;
  };
  let low = Math.max(...diagonal);
  let high = low;
  for (let k = 0; k < n; k += 1) {
    high = Math.max(high, diagonal[k]! + Math.abs(beside[k - 1] ?? 0) + Math.abs(beside[k] ?? 0));
  }
  for (let step = 0; step < 200 && high - low > Number.EPSILON * Math.abs(high); step += 1) {
    const middle = (low + high) / 2;
    if (noneAbove(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * Lanczos iteration with full reorthogonalisation (Golub and Van Loan, section 10.3) on M Mᵀ without its eigenvector √p_x,
 * whose eigenvalue is 1: the largest that remains is the second of Q.
 */
function fromIteration(joint: Joint): number {
  const { cells, rows, columns } = joint;
  const n = rows.length;
  const m = normalised(joint);
  const apply = (vector: Float64Array): Float64Array => {
    const across = new Float64Array(columns.length);
    m.forEach((value, at) => (across[cells.columns[at]!]! += value * vector[cells.rows[at]!]!));
    const back = new Float64Array(n);
    m.forEach((value, at) => (back[cells.rows[at]!]! += value * across[cells.columns[at]!]!));
    return back;
  };
  const known = rows.map(Math.sqrt);
  const basis: Float64Array[] = [scaled(known, 1 / Math.sqrt(dot(known, known)))];
  // Any start will do that is not by chance at right angles to the answer; this one is the same in every run.
  let vector: Float64Array = Float64Array.from(
    { length: n },
    (_, at) => Math.sin(12.9898 * (at + 1)) + Math.cos(78.233 * at),
  );
  orthogonalise(vector, basis);
  vector = scaled(vector, 1 / Math.sqrt(dot(vector, vector)));
  const diagonal: number[] = [];
  const beside: number[] = [];
  let before = -1;
  let settled = 0;
  while (diagonal.length < n - 1) {
    basis.push(vector);
    const next = apply(vector);
    diagonal.push(dot(next, vector));
    orthogonalise(next, basis);
    const rest = Math.sqrt(dot(next, next));
    if (diagonal.length % 8 === 0) {
      const value = largestOfTridiagonal(diagonal, beside);
      settled = Math.abs(value - before) <= 1e-13 * value ? settled + 1 : 0;
      before = value;
      if (settled === 3) break;
    }
    if (rest < 1e-14) break;
    beside.push(rest);
    vector = scaled(next, 1 / rest);
  }
  return Math.sqrt(Math.max(0, largestOfTridiagonal(diagonal, beside)));
}

/**
 * Maximal correlation coefficient: square root of the second largest eigenvalue of Q = Σ_k p(i,k) p(j,k) / (p_x(i) p_y(k)).
 * Q is similar to M Mᵀ with M = p / √(p_x p_y), which is symmetric. 1 where fewer than two levels occur.
 */
export function maximalCorrelation(joint: Joint): number {
  if (joint.rows.length < 2) return 1;
  return joint.rows.length <= DENSE ? fromAllEigenvalues(joint) : fromIteration(joint);
}
