"""Golden values of small regions, computed by pyradiomics 3.0.1.

    python scripts/oracle/radiomics-cases.py test/unit/domain/radiomics/golden/regions.jsonl

Writes a line of JSON per case: its name, the arrays (voxel order, i fastest), the parameter document, and what pyradiomics answers
(`features`, null where it answers NaN; or `error`, its refusal). Needs pyradiomics 3.0.1 and SimpleITK; not part of
npm test, which only reads the files.
"""

import json
import logging
import math
import sys
import warnings
from pathlib import Path

import numpy
import SimpleITK as sitk
from radiomics import featureextractor, setVerbosity
from radiomics.shape2D import RadiomicsShape2D

setVerbosity(logging.CRITICAL)
CLASSES = ["shape", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"]
RANDOM = numpy.random.RandomState(20260101)
SPACING = (0.8, 1.1, 2.5)  # along i, j, k


def textured(size):
    """An image (k, j, i) of whole numbers with structure at several scales."""
    k, j, i = numpy.indices(size[::-1])
    wave = 60 * numpy.sin(i / 1.7) + 45 * numpy.cos(j / 2.3) + 30 * k
    return numpy.rint(wave + RANDOM.normal(0, 40, size[::-1]) - 20).astype("int16")


def ball(size, radius=1.0):
    k, j, i = numpy.indices(size[::-1])
    half = [(n - 1) / 2 for n in size]
    inside = sum(((a - h) / (h + 0.01)) ** 2 for a, h in zip((i, j, k), half)) <= radius
    return inside.astype("uint8")


def holes(mask, share):
    return (mask & (RANDOM.uniform(size=mask.shape) > share)).astype("uint8")


def empty(size):
    return numpy.zeros(size[::-1], "uint8")


def voxels(size, *where):
    mask = empty(size)
    for i, j, k in where:
        mask[k, j, i] = 1
    return mask


def extract(image, mask, document, spacing):
    extractor = featureextractor.RadiomicsFeatureExtractor({
        "featureClass": {name: [] for name in CLASSES},
        **document,
        "setting": {"additionalInfo": False, **document.get("setting", {})},
    })
    values = extractor.execute(node(image, spacing), node(mask, spacing))
    return {name: float(value) for name, value in values.items() if not name.startswith("diagnostics")}


def node(array, spacing):
    made = sitk.GetImageFromArray(array)
    made.SetSpacing(spacing)
    return made


SEED = {
    "firstorder": ["StandardDeviation"],
    "shape": ["Compactness1", "Compactness2", "SphericalDisproportion"],
}


def deprecated(image, mask, spacing):
    return extract(image, mask, {"featureClass": SEED}, spacing)


def flat_shape(image, mask, spacing, axis=2):
    """2D shape of the plane with the most voxels, the first of several."""
    across = 2 - axis
    counts = mask.sum(axis=tuple(n for n in range(3) if n != across))
    plane = int(numpy.argmax(counts))
    one = numpy.take(mask, [plane], axis=across)
    shape = RadiomicsShape2D(
        node(numpy.take(image, [plane], axis=across), spacing),
        node(one, spacing),
        force2D=True,
        force2Ddimension=across,
    )
    shape.enableAllFeatures()
    shape.enableFeatureByName("SphericalDisproportion", True)
    return {f"original_shape2D_{name}": float(value) for name, value in shape.execute().items()}


def cases():
    size = (7, 6, 5)
    image = textured(size)
    round_mask = ball(size)
    # pyradiomics takes a mask without a zero for an empty one.
    full = numpy.ones(size[::-1], "uint8")
    full[2, 3, 4] = 0
    ragged = holes(ball(size, 1.3), 0.3)

    # Regions that are hardly regions.
    yield "two-voxels", image, voxels(size, (2, 2, 2), (3, 2, 2)), {"setting": {"minimumROIDimensions": 1}}, SPACING
    yield "two-voxels-refused", image, voxels(size, (2, 2, 2), (3, 2, 2)), {}, SPACING
    yield "one-voxel", image, voxels(size, (2, 2, 2)), {"setting": {"minimumROIDimensions": 1}}, SPACING
    yield "two-apart", image, voxels(size, (0, 0, 0), (3, 2, 2)), {}, SPACING
    yield "disconnected", image, voxels(size, (0, 0, 0), (2, 0, 0), (0, 3, 0), (5, 5, 4), (3, 3, 2)), {}, SPACING
    yield "diagonal", image, voxels(size, (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4)), {}, SPACING
    one_slice = empty(size)
    one_slice[2] = round_mask[2]
    yield "one-slice", image, one_slice, {}, SPACING
    one_column = empty(size)
    one_column[:, :, 3] = round_mask[:, :, 3]
    yield "one-plane-of-columns", image, one_column, {}, SPACING
    line = empty(size)
    line[2, 3, :] = 1
    yield "line", image, line, {"setting": {"minimumROIDimensions": 1}}, SPACING
    yield "flat", numpy.full_like(image, 40), round_mask, {}, SPACING
    yield "flat-on-a-bin-edge", numpy.full_like(image, 50), round_mask, {}, SPACING
    yield "flat-zero", numpy.zeros_like(image), round_mask, {}, SPACING
    yield "flat-bin-count", numpy.full_like(image, 40), round_mask, {"setting": {"binCount": 8}}, SPACING
    two_levels = numpy.where(image > 20, 30, 1).astype("int16")
    yield "two-levels", two_levels, ragged, {}, SPACING
    checker = (numpy.indices(size[::-1]).sum(axis=0) % 2 * 100).astype("int16")
    yield "checkerboard", checker, full, {}, SPACING
    yield "touches-the-border", image, full, {}, SPACING
    yield "ragged", image, ragged, {}, SPACING
    two_parts = empty((9, 6, 5))
    two_parts[1:4, 1:4, 1:4] = 1
    two_parts[0:3, 2:5, 6:9] = 1
    yield "two-parts", textured((9, 6, 5)), two_parts, {}, SPACING
    shell = round_mask.copy()
    shell[2, 2:4, 2:5] = 0
    yield "hollow", image, shell, {}, SPACING

    # 71 voxels: the 10th percentile lies on rank 70 × 0.1, which is not quite 7.
    ranked = numpy.zeros_like(full)
    ranked.ravel()[numpy.flatnonzero(full)[:71]] = 1
    yield "percentile-on-a-rank", image, ranked, {}, SPACING

    # Settings.
    for axis in (0, 1, 2):
        document = {"setting": {"force2D": True, "force2Ddimension": axis}}
        yield f"force-2d-{axis}", image, ragged, document, SPACING
    yield "distances", image, ragged, {"setting": {"distances": [1, 2]}}, SPACING
    yield "distance-2", image, ragged, {"setting": {"distances": [2]}}, SPACING
    yield "distance-beyond-the-box", image, ragged, {"setting": {"distances": [1, 6]}}, SPACING
    flat_far = {"setting": {"distances": [1, 2], "force2D": True}}
    yield "distances-2d", image, ragged, flat_far, SPACING
    for norm in ("manhattan", "euclidean", "infinity", "no_weighting"):
        yield f"weighting-{norm}", image, ragged, {"setting": {"weightingNorm": norm}}, SPACING
    yield "weighting-disconnected", image, voxels(size, (0, 0, 0), (2, 0, 0), (0, 3, 0), (5, 5, 4)), {
        "setting": {"weightingNorm": "euclidean"}
    }, SPACING
    yield "weighting-2d-distances", image, ragged, {
        "setting": {"weightingNorm": "euclidean", "force2D": True, "distances": [1, 2]}
    }, SPACING
    yield "not-symmetrical", image, ragged, {"setting": {"symmetricalGLCM": False}}, SPACING
    yield "not-symmetrical-weighted", image, ragged, {
        "setting": {"symmetricalGLCM": False, "weightingNorm": "infinity", "distances": [1, 2]}
    }, SPACING
    yield "bin-count", image, ragged, {"setting": {"binCount": 16}}, SPACING
    yield "bin-count-1", image, ragged, {"setting": {"binCount": 1}}, SPACING
    yield "bin-count-over-width", image, ragged, {"setting": {"binCount": 6, "binWidth": 3}}, SPACING
    yield "bin-width-1", image, ragged, {"setting": {"binWidth": 1}}, SPACING
    yield "bin-width-above-the-range", image, ragged, {"setting": {"binWidth": 5000}}, SPACING
    decimal = (image / 300).astype("float64")
    yield "bin-width-decimal", decimal, ragged, {"setting": {"binWidth": 0.1}}, SPACING
    single = (image / 300).astype("float32")
    yield "single-precision", single, ragged, {"setting": {"binWidth": 0.1}}, SPACING
    yield "single-precision-count", single, ragged, {"setting": {"binCount": 10}}, SPACING
    yield "dependence", image, ragged, {"setting": {"gldm_a": 2}}, SPACING
    yield "shift", image, ragged, {"setting": {"voxelArrayShift": 1000}}, SPACING
    yield "normalize", image, ragged, {"setting": {"normalize": True, "binWidth": 0.2}}, SPACING
    yield "normalize-scaled", image, ragged, {
        "setting": {"normalize": True, "normalizeScale": 100, "removeOutliers": 1.5, "binWidth": 5}
    }, SPACING
    yield "normalize-single", single, ragged, {"setting": {"normalize": True, "binWidth": 0.2}}, SPACING
    yield "resegment", image, ragged, {"setting": {"resegmentRange": [-40, 60]}}, SPACING
    yield "resegment-backwards", image, ragged, {"setting": {"resegmentRange": [60, -40]}}, SPACING
    yield "resegment-lower", image, ragged, {"setting": {"resegmentRange": [20]}}, SPACING
    yield "resegment-relative", image, ragged, {
        "setting": {"resegmentRange": [0.1, 0.8], "resegmentMode": "relative"}
    }, SPACING
    yield "resegment-sigma", image, ragged, {
        "setting": {"resegmentRange": [-1, 1.5], "resegmentMode": "sigma", "resegmentShape": True}
    }, SPACING
    yield "resegment-to-nothing", image, ragged, {"setting": {"resegmentRange": [9000, 9001]}}, SPACING
    yield "resegment-smaller-box", image, ragged, {
        "setting": {"resegmentRange": [60, 1000], "resegmentShape": True}
    }, SPACING
    yield "minimum-size-refused", image, ragged, {"setting": {"minimumROISize": int(ragged.sum())}}, SPACING
    yield "minimum-size", image, ragged, {"setting": {"minimumROISize": int(ragged.sum()) - 1}}, SPACING
    yield "minimum-dimensions-refused", image, one_slice, {"setting": {"minimumROIDimensions": 3}}, SPACING
    chosen = {"featureClass": {"glcm": ["Contrast", "MCC"], "firstorder": ["StandardDeviation"], "shape": ["Compactness2"]}}
    yield "chosen-features", image, ragged, chosen, SPACING

    # Filters.
    filters = {"Square": {}, "SquareRoot": {}, "Logarithm": {}, "Exponential": {}, "Gradient": {}}
    first = {name: ["Mean", "Variance", "Entropy"] for name in ("firstorder",)}
    first["glcm"] = ["Contrast"]
    yield "filters", image, ragged, {"imageType": filters, "featureClass": first}, SPACING
    yield "filters-2d", image, ragged, {
        "imageType": {"Wavelet": {}, "Gradient": {"gradientUseSpacing": False}, "Original": {"binWidth": 10}},
        "setting": {"force2D": True},
        "featureClass": first,
    }, SPACING
    larger = textured((12, 11, 9))
    middle = holes(ball((12, 11, 9), 0.5), 0.2)
    yield "wavelet-levels", larger, middle, {
        "imageType": {"Wavelet": {"wavelet": "db3", "level": 2, "start_level": 1}}, "featureClass": first
    }, SPACING
    yield "wavelet-haar", larger, middle, {"imageType": {"Wavelet": {"wavelet": "haar"}}, "featureClass": first}, SPACING
    # Hundreds of levels: matrices are kept sparse and MCC is found by iteration.
    fine = RANDOM.randint(-600, 601, larger.shape).astype("int16") // 2 + 3 * larger
    everywhere = numpy.ones_like(middle)
    everywhere[0, 0, 0] = 0
    one_by_one = {"binWidth": 1}
    textures = {name: [] for name in ("glcm", "ngtdm", "glszm", "glrlm", "gldm")}
    yield "many-levels", larger, everywhere, {"setting": one_by_one, "featureClass": textures}, SPACING
    yield "very-many-levels", fine, everywhere, {"setting": one_by_one, "featureClass": {"glcm": []}}, SPACING
    yield "very-many-levels-not-symmetrical", fine, everywhere, {
        "setting": {**one_by_one, "symmetricalGLCM": False}, "featureClass": {"glcm": []}
    }, SPACING
    yield "very-many-levels-weighted", fine, everywhere, {
        "setting": {**one_by_one, "weightingNorm": "infinity"}, "featureClass": {"glcm": []}
    }, SPACING
    yield "log", larger, middle, {"imageType": {"LoG": {"sigma": [1.5, 2.0, 3.0]}}, "featureClass": first}, SPACING
    yield "pre-crop", larger, middle, {
        "imageType": {"Wavelet": {}, "Gradient": {}},
        "setting": {"preCrop": True, "padDistance": 1},
        "featureClass": first,
    }, SPACING
    for interpolator in ("sitkBSpline", "sitkLinear", "sitkNearestNeighbor"):
        yield f"resampled-{interpolator}", larger, middle, {
            "setting": {"resampledPixelSpacing": [1, 1.5, 2], "interpolator": interpolator, "binWidth": 10}
        }, SPACING
    yield "resampled-to-the-border", image, full, {
        "setting": {"resampledPixelSpacing": [1, 1, 2], "interpolator": "sitkBSpline"}
    }, SPACING
    yield "resampled-linear-by-half", image, ragged, {
        "setting": {"resampledPixelSpacing": [0.4, 0.55, 1.25], "interpolator": "sitkLinear", "binWidth": 0.5},
        "featureClass": {"firstorder": []},
    }, SPACING
    yield "resampled-in-plane", larger, middle, {
        "setting": {"resampledPixelSpacing": [1, 1, 0], "interpolator": "sitkBSpline", "padDistance": 2}
    }, SPACING


def plain(value):
    return None if math.isnan(value) else value


def answer(name, image, mask, document, spacing):
    kinds = {"int16": "short", "float32": "float", "float64": "double"}
    record = {
        "name": name,
        "size": list(image.shape[::-1]),
        "spacing": list(spacing),
        "type": kinds[str(image.dtype)],
        "image": [value.item() for value in image.ravel()],
        "mask": "".join(str(value) for value in mask.ravel()),
        "document": document,
    }
    try:
        features = extract(image, mask, document, spacing)
        if not document:
            features.update(deprecated(image, mask, spacing))
            features.update(flat_shape(image, mask, spacing))
    except ValueError as error:
        return {**record, "error": str(error)}
    return {**record, "features": {key: plain(value) for key, value in features.items()}}


def main(path):
    warnings.simplefilter("ignore")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for case in cases():
            record = answer(*case)
            file.write(json.dumps(record) + "\n")
            print(record["name"], record.get("error", len(record.get("features", {}))))


main(Path(sys.argv[1]))
