// Small matrices, as arrays of rows.

function square(size, entry) {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => entry(i, j)));
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function times(matrix, vector) {
  return matrix.map((row) => dot(row, vector));
}

function transposed(matrix) {
  return square(matrix.length, (i, j) => matrix[j][i]);
}

/**
 * Eigenvalues, ascending, and unit eigenvectors (one a row) of a symmetric matrix, by Jacobi's rotations.
 * Source: Golub and Van Loan, Matrix Computations, section 8.5.
 */
function symmetricEigen(matrix) {
  const n = matrix.length, A = matrix.map((row) => [...row]), V = square(n, (i, j) => Number(i === j));
  for (let round = 0; round < 50; round++) {
    let turned = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(A[p][q]) <= 1e-18 * Math.sqrt(Math.abs(A[p][p] * A[q][q]))) continue;
        turned = true;
        rotate(A, V, p, q);
      }
    }
    if (!turned) break;
  }
  const order = A.map((_, i) => i).sort((i, j) => A[i][i] - A[j][j]);
  return { values: order.map((i) => A[i][i]), vectors: order.map((i) => V[i]) };
}

/** Turn the directions p and q so that A[p][q] becomes 0. */
function rotate(A, V, p, q) {
  const theta = (A[q][q] - A[p][p]) / (2 * A[p][q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1), s = t * c;
  const change = t * A[p][q];
  A[p][p] -= change;
  A[q][q] += change;
  A[p][q] = A[q][p] = 0;
  for (let k = 0; k < A.length; k++) {
    if (k !== p && k !== q) {
      const [kp, kq] = [A[k][p], A[k][q]];
      A[k][p] = A[p][k] = c * kp - s * kq;
      A[k][q] = A[q][k] = s * kp + c * kq;
    }
    const [vp, vq] = [V[p][k], V[q][k]];
    V[p][k] = c * vp - s * vq;
    V[q][k] = s * vp + c * vq;
  }
}

/** The x with `matrix · x = side`, by elimination with pivots. */
function solve(matrix, side) {
  const n = side.length, A = matrix.map((row, i) => [...row, side[i]]);
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(A[i][k]) > Math.abs(A[best][k])) best = i;
    [A[k], A[best]] = [A[best], A[k]];
    for (let i = k + 1; i < n; i++) {
      const factor = A[i][k] / A[k][k];
      for (let j = k; j <= n; j++) A[i][j] -= factor * A[k][j];
    }
  }
  const x = new Array(n);
  for (let k = n - 1; k >= 0; k--) {
    let rest = A[k][n];
    for (let j = k + 1; j < n; j++) rest -= A[k][j] * x[j];
    x[k] = rest / A[k][k];
  }
  return x;
}
