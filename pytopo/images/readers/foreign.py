"""Formats that are not read: what they are called, and what converts them to one that is.

They are recognised by their first bytes.  The ending of the name counts only if no reader can
open the file.
"""

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pytopo.images.readers.address import Address

HEAD = 512  # bytes at the start of a file that contain every signature


class Format(NamedTuple):
    """A format that is not read.

    Attributes
    ----------
    name : str
        With its article.
    remedy : str
        What converts it; ``{}`` stands for the file.
    """

    name: str
    remedy: str


def _by(package: str, call: str) -> str:
    return f"convert it with {package}: np.save('image.npy', {call})"


NIFTI = Format("a NIfTI volume", _by("nibabel", "nibabel.load({}).get_fdata()"))
DICOM = Format("a DICOM file", _by("pydicom", "pydicom.dcmread({}).pixel_array"))
MRC = Format("an MRC volume", _by("mrcfile", "mrcfile.read({})"))
MATLAB = Format("a MATLAB 5 file", _by("SciPy", "scipy.io.loadmat({})['NAME']"))
CZI = Format("a Zeiss CZI file", _by("czifile", "czifile.imread({})"))
ND2 = Format("a Nikon ND2 file", _by("nd2", "nd2.imread({})"))
LIF = Format("a Leica LIF file", "export it as OME-TIFF, with Fiji or bfconvert")
OLE = Format(
    "a compound file, like OIB or ZVI", "export it as OME-TIFF, with Fiji or bfconvert"
)
NRRD = Format("an NRRD volume", _by("pynrrd", "nrrd.read({})[0]"))
META = Format(
    "a MetaImage", _by("SimpleITK", "SimpleITK.GetArrayFromImage(SimpleITK.ReadImage({}))")
)
DM = Format("a Gatan DigitalMicrograph file", "export it as TIFF, with Fiji or ncempy")
PYTORCH = Format(
    "a PyTorch file (a pickle, which is never loaded)",
    "save the tensor by np.save('image.npy', tensor.numpy())",
)
PICKLE = Format(
    "a pickle, which is never loaded", "save the array by np.save('image.npy', array)"
)
ZARR = Format(
    "a Zarr store",
    "`pytopo diagram` and pytopo.large.open_source({}) read it, or save an array of it by "
    "np.save('image.npy', zarr.open({}, 'r')['NAME'][:])",
)
N5 = Format("an N5 store", "convert it to Zarr, by tensorstore or with Fiji")
PDF = Format("a PDF document", "draw its page as PNG")
SVG = Format("a drawing (SVG)", "save it as PNG")
VIDEO = Format("a video", "save its frames as a TIFF stack, for instance with ffmpeg")
GZIP = Format("a file compressed with gzip", "unpack it with gunzip")
BZIP2 = Format("a file compressed with bzip2", "unpack it with bunzip2")
XZ = Format("a file compressed with xz", "unpack it with unxz")
ZSTD = Format("a file compressed with Zstandard", "unpack it with unzstd")
TAR = Format("a tar archive", "unpack it with tar")
SEVEN = Format("a 7z archive", "unpack it with 7z")

SIGNATURES = (
    (344, b"n+1\0", NIFTI),
    (344, b"ni1\0", NIFTI),
    (4, b"n+2\0", NIFTI),
    (128, b"DICM", DICOM),
    (208, b"MAP ", MRC),
    (0, b"MATLAB 5.0", MATLAB),
    (0, b"ZISRAWFILE", CZI),
    (0, b"\xda\xce\xbe\x0a", ND2),
    (0, b"\x70\0\0\0", LIF),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (0, b"NRRD", NRRD),
    (0, b"ObjectType =", META),
    (0, b"%PDF", PDF),
    (0, b"<svg", SVG),
    (0, b"\x1f\x8b", GZIP),
    (0, b"BZh", BZIP2),
    (0, b"\xfd7zXZ\0", XZ),
    (0, b"\x28\xb5\x2f\xfd", ZSTD),
    (0, b"7z\xbc\xaf\x27\x1c", SEVEN),
    (257, b"ustar", TAR),
)

ENDINGS = {
    ".nii": NIFTI, ".hdr": NIFTI, ".dcm": DICOM, ".dicom": DICOM, ".mrc": MRC, ".rec": MRC,
    ".st": MRC, ".mat": MATLAB, ".czi": CZI, ".nd2": ND2, ".lif": LIF, ".oib": OLE,
    ".zvi": OLE, ".nrrd": NRRD, ".mha": META, ".mhd": META, ".dm3": DM, ".dm4": DM,
    ".pt": PYTORCH, ".pth": PYTORCH, ".ckpt": PYTORCH, ".pkl": PICKLE, ".pickle": PICKLE,
    ".pdf": PDF, ".svg": SVG, ".mp4": VIDEO, ".avi": VIDEO, ".mov": VIDEO, ".gz": GZIP,
    ".bz2": BZIP2, ".xz": XZ, ".zst": ZSTD, ".tar": TAR, ".7z": SEVEN,
}  # fmt: skip

COMPRESSED = (GZIP, BZIP2, XZ, ZSTD)


def refuse_foreign(address: "Address", head: bytes) -> None:
    """Refuse a file whose first bytes are those of a format that is not read."""
    for offset, signature, found in SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            raise _refusal(address, found)


def by_ending(address: "Address") -> Exception | None:
    """Return the refusal that the name of an unreadable file suggests, if it suggests one."""
    found = ENDINGS.get(os.path.splitext(address.file)[1].lower())
    return _refusal(address, found) if found else None


def refuse_pickled_zip(address: "Address", names: list[str]) -> None:
    """Refuse the archive that `torch.save` writes."""
    if any(name == "data.pkl" or name.endswith("/data.pkl") for name in names):
        raise _refusal(address, PYTORCH)


def store_text(folder: str) -> str | None:
    """Return what to call a folder that is an image in another format, and what converts it."""
    held = set(os.listdir(folder)) if os.access(folder, os.R_OK | os.X_OK) else set()
    if folder.rstrip(os.sep).endswith(".zarr") or held & {".zarray", ".zgroup", "zarr.json"}:
        return _text(ZARR, folder)
    if folder.rstrip(os.sep).endswith(".n5"):
        return _text(N5, folder)
    return None


def _refusal(address: "Address", found: Format) -> Exception:
    stem, _ = os.path.splitext(address.file)
    inner = ENDINGS.get(os.path.splitext(stem)[1].lower())
    if found in COMPRESSED and inner and inner not in COMPRESSED:  # as .nii.gz
        found = Format(f"{inner.name} {found.name.removeprefix('a file ')}", inner.remedy)
    return address.refusal(_text(found, address.file))


def _text(found: Format, file: str) -> str:
    return f"not supported: {found.name}; {found.remedy.replace('{}', repr(file))}"
