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

/** Adds a multiple of one vector to another, in place. */
function add(vector: Float64Array, factor: number, other: Float64Array): void {
  for (let at = 0; at < vector.length; at += 1) vector[at]! += factor * other[at]!;
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

/** More steps than this are not taken; tens are usual. */
const MOST_STEPS = 4000;

/**
 * Lanczos iteration (Golub and Van Loan, section 10.1) on M Mᵀ without its eigenvector √p_x, whose eigenvalue is 1: the
 * largest that remains is the second of Q. Vectors lose their right angles with time, which repeats eigenvalues that were
 * found and moves none; only √p_x must be kept out at every step.
 */
function fromIteration(joint: Joint): number {
  const { cells, rows, columns } = joint;
  const n = rows.length;
  const m = normalised(joint);
  const apply = (vector: Float64Array): Float64Array => {
    const across = new Float64Array(columns.length);
    for (let at = 0; at < m.length; at += 1) across[cells.columns[at]!]! += m[at]! * vector[cells.rows[at]!]!;
    const back = new Float64Array(n);
    for (let at = 0; at < m.length; at += 1) back[cells.rows[at]!]! += m[at]! * across[cells.columns[at]!]!;
    return back;
  };
  const root = rows.map(Math.sqrt);
  const known = scaled(root, 1 / Math.sqrt(dot(root, root)));
  // Any start will do that is not by chance at right angles to the answer; this one is the same in every run.
  let vector: Float64Array = Float64Array.from(known, (_, at) => Math.sin(12.9898 * (at + 1)) + Math.cos(78.233 * at));
  add(vector, -dot(vector, known), known);
  vector = scaled(vector, 1 / Math.sqrt(dot(vector, vector)));
  let previous: Float64Array = new Float64Array(n);
  let link = 0;
  const diagonal: number[] = [];
  const beside: number[] = [];
  let before = -1;
  let settled = 0;
  let check = 16;
  while (diagonal.length < MOST_STEPS) {
    const next = apply(vector);
    add(next, -link, previous);
    const own = dot(next, vector);
    diagonal.push(own);
    add(next, -own, vector);
    add(next, -dot(next, known), known);
    link = Math.sqrt(dot(next, next));
    if (diagonal.length === check) {
      const value = largestOfTridiagonal(diagonal, beside);
      settled = Math.abs(value - before) <= 1e-13 * value ? settled + 1 : 0;
      before = value;
      if (settled === 2) break;
      check += Math.max(8, check >> 3);
    }
    if (link < 1e-14) break;
    beside.push(link);
    previous = vector;
    vector = scaled(next, 1 / link);
  }
  return Math.sqrt(Math.max(0, largestOfTridiagonal(diagonal, beside)));
}

/** True when the levels fall into groups that never meet: Q then has the eigenvalue 1 once per group. */
function fallsApart({ cells, rows, columns }: Joint): boolean {
  const n = rows.length;
  // Levels as voxel (from 0) and as neighbour (from n); each points towards the root of its group.
  const towards = Int32Array.from({ length: 2 * n }, (_, at) => at);
  const rootOf = (at: number): number => {
    while (towards[at] !== at) {
      towards[at] = towards[towards[at]!]!;
      at = towards[at]!;
    }
    return at;
  };
  let groups = rows.filter((p) => p > 0).length + columns.filter((p) => p > 0).length;
  for (let at = 0; at < cells.rows.length; at += 1) {
    const a = rootOf(cells.rows[at]!);
    const b = rootOf(n + cells.columns[at]!);
    if (a === b) continue;
    towards[a] = b;
    groups -= 1;
  }
  return groups > 1;
}

/**
 * Maximal correlation coefficient: square root of the second largest eigenvalue of Q = Σ_k p(i,k) p(j,k) / (p_x(i) p_y(k)).
 * Q is similar to M Mᵀ with M = p / √(p_x p_y), which is symmetric. 1 where fewer than two levels occur.
 */
export function maximalCorrelation(joint: Joint): number {
  if (joint.rows.length < 2) return 1;
  if (joint.rows.length <= DENSE) return fromAllEigenvalues(joint);
  return fallsApart(joint) ? 1 : fromIteration(joint);
}
