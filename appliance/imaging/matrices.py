"""Colour arithmetic: matrices of three by three, and the one that takes linear RGB to XYZ."""

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
"""Three rows; of colorants, the columns are red, green and blue."""
Xy = tuple[float, float]
Primaries = tuple[Xy, Xy, Xy]
"""The chromaticities of red, green and blue."""

D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)
SRGB_XY: Primaries = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
P3_XY: Primaries = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_XY: Primaries = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
BT2020_XY: Primaries = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def matrix_of(primaries: Primaries, white: Xy) -> Matrix:
    """From linear RGB to XYZ relative to D50, by Bradford's adaptation.

    Raises ZeroDivisionError for what spans no space.
    """
    red, green, blue = primaries
    columns = transposed((xyz_of(red), xyz_of(green), xyz_of(blue)))
    return multiply(_adaptation(white), multiply(columns, _diagonal(apply(inverted(columns), xyz_of(white)))))


def xyz_of(xy: Xy) -> Vector:
    """A chromaticity as XYZ of the luminance 1."""
    x, y = xy
    return x / y, 1.0, (1 - x - y) / y


def _adaptation(white: Xy) -> Matrix:
    source, target = apply(_BRADFORD, xyz_of(white)), apply(_BRADFORD, xyz_of(D50))
    scales = target[0] / source[0], target[1] / source[1], target[2] / source[2]
    return multiply(inverted(_BRADFORD), multiply(_diagonal(scales), _BRADFORD))


def _diagonal(values: Vector) -> Matrix:
    x, y, z = values
    return (x, 0.0, 0.0), (0.0, y, 0.0), (0.0, 0.0, z)


def apply(matrix: Matrix, vector: Vector) -> Vector:
    """The matrix times a column."""
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def multiply(left: Matrix, right: Matrix) -> Matrix:
    """The product of two matrices."""
    columns = transposed(right)
    return transposed((apply(left, columns[0]), apply(left, columns[1]), apply(left, columns[2])))


def transposed(matrix: Matrix) -> Matrix:
    one, two, three = zip(*matrix, strict=True)
    return one, two, three


def inverted(matrix: Matrix) -> Matrix:
    """The inverse. Raises ZeroDivisionError for a matrix without one."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return (
        ((e * i - f * h) / whole, (c * h - b * i) / whole, (b * f - c * e) / whole),
        ((f * g - d * i) / whole, (a * i - c * g) / whole, (c * d - a * f) / whole),
        ((d * h - e * g) / whole, (b * g - a * h) / whole, (a * e - b * d) / whole),
    )
