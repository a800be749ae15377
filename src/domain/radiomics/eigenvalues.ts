/**
 * Eigenvalues of a symmetric n × n matrix (row-major, destroyed), ascending: Householder reduction to tridiagonal form,
 * then QL with implicit shifts (Golub and Van Loan, Matrix Computations, section 8.3). Vectors are not computed.
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  const diagonal = new Float64Array(n);
  const off = new Float64Array(n);
  tridiagonalise(matrix, n, diagonal, off);
  implicitQl(diagonal, off, n);
  return diagonal.sort();
}

function tridiagonalise(a: Float64Array, n: number, d: Float64Array, e: Float64Array): void {
  for (let i = n - 1; i > 0; i -= 1) {
    const row = i * n;
    let scale = 0;
    for (let k = 0; k < i; k += 1) scale += Math.abs(a[row + k]!);
    if (i === 1 || scale === 0) {
      e[i] = a[row + i - 1]!;
      continue;
    }
    let h = 0;
    for (let k = 0; k < i; k += 1) {
      a[row + k]! /= scale;
      h += a[row + k]! ** 2;
    }
    const f = a[row + i - 1]!;
    const g = f >= 0 ? -Math.sqrt(h) : Math.sqrt(h);
    e[i] = scale * g;
    h -= f * g;
    a[row + i - 1] = f - g;
    // p = A u / h, kept in the part of e that is not final yet.
    let dot = 0;
    for (let j = 0; j < i; j += 1) {
      let sum = 0;
      for (let k = 0; k <= j; k += 1) sum += a[j * n + k]! * a[row + k]!;
      for (let k = j + 1; k < i; k += 1) sum += a[k * n + j]! * a[row + k]!;
      e[j] = sum / h;
      dot += e[j]! * a[row + j]!;
    }
    const half = dot / (2 * h);
    for (let j = 0; j < i; j += 1) {
      const u = a[row + j]!;
      const q = e[j]! - half * u;
      e[j] = q;
      for (let k = 0; k <= j; k += 1) a[j * n + k]! -= u * e[k]! + q * a[row + k]!;
    }
  }
  for (let i = 0; i < n; i += 1) d[i] = a[i * n + i]!;
  e[0] = 0;
}

function implicitQl(d: Float64Array, e: Float64Array, n: number): void {
  for (let i = 1; i < n; i += 1) e[i - 1] = e[i]!;
  if (n > 0) e[n - 1] = 0;
  for (let l = 0; l < n; l += 1) {
    for (let iteration = 0; iteration < 60; iteration += 1) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m += 1;
      if (m === l) break;
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.hypot(g, 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i -= 1) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}
