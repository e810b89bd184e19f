"""The few calls of CUDA's runtime that move arrays to a GPU and back, without a package of its own.

Source: docs.nvidia.com/cuda/cuda-runtime-api. JetPack brings the library; Python bindings it does
not bring.
"""

from __future__ import annotations

import ctypes
from typing import Any

from numpy.typing import NDArray

from edge_ttvos.errors import EngineError

LIBRARIES = (
    "libcudart.so",
    "libcudart.so.13",
    "libcudart.so.12",
    "/usr/local/cuda/lib64/libcudart.so",
)
TO_DEVICE, TO_HOST = 1, 2  # cudaMemcpyKind
MAJOR, MINOR = 75, 76  # cudaDevAttrComputeCapability…
NAME, PROPERTIES = 256, 8192  # bytes: of cudaDeviceProp's first field, and more than all of it
PROPERTY_CALLS = ("cudaGetDeviceProperties_v2", "cudaGetDeviceProperties")  # CUDA 12; 13


def load_runtime() -> Any:
    """CUDA's runtime library.

    Raises:
        EngineError: there is none.
    """
    for name in LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise EngineError(
        f"TensorRT needs CUDA's runtime; none of {', '.join(LIBRARIES)} can be loaded. On a Jetson "
        "type: sudo apt install nvidia-jetpack"
    )


class Gpu:
    """The first GPU, and one stream of work on it.

    Args:
        runtime: CUDA's library.

    Raises:
        EngineError: CUDA refuses, here as in every method; the message has its own words.
    """

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        stream = ctypes.c_void_p()
        self._call("cudaStreamCreate", ctypes.byref(stream))
        self.stream: int = stream.value or 0

    @property
    def name(self) -> str:
        """As its maker calls it."""
        call = next(name for name in PROPERTY_CALLS if hasattr(self._runtime, name))
        properties = ctypes.create_string_buffer(PROPERTIES)
        self._call(call, properties, ctypes.c_int(0))
        return properties.raw[:NAME].partition(b"\0")[0].decode("ascii", "replace")

    @property
    def capability(self) -> str:
        """Compute capability, ``8.7``."""
        digits = []
        for attribute in (MAJOR, MINOR):
            value = ctypes.c_int()
            self._call("cudaDeviceGetAttribute", ctypes.byref(value), attribute, ctypes.c_int(0))
            digits.append(str(value.value))
        return ".".join(digits)

    def allocate(self, count: int) -> int:
        """Address of that many bytes on the GPU."""
        address = ctypes.c_void_p()
        self._call("cudaMalloc", ctypes.byref(address), ctypes.c_size_t(count))
        return address.value or 0

    def free(self, address: int) -> None:
        """Give them back."""
        self._call("cudaFree", ctypes.c_void_p(address))

    def send(self, array: NDArray[Any], address: int) -> None:
        """Copy a C-contiguous array there, in the stream's order."""
        self._copy(ctypes.c_void_p(address), ctypes.c_void_p(array.ctypes.data), array, TO_DEVICE)

    def fetch(self, address: int, array: NDArray[Any]) -> None:
        """Copy back; the array is filled after ``wait``."""
        self._copy(ctypes.c_void_p(array.ctypes.data), ctypes.c_void_p(address), array, TO_HOST)

    def wait(self) -> None:
        """Until all that the stream was given is done."""
        self._call("cudaStreamSynchronize", ctypes.c_void_p(self.stream))

    def close(self) -> None:
        """Give the stream back."""
        self._call("cudaStreamDestroy", ctypes.c_void_p(self.stream))

    def _copy(self, target: Any, source: Any, array: NDArray[Any], kind: int) -> None:
        count, stream = ctypes.c_size_t(array.nbytes), ctypes.c_void_p(self.stream)
        self._call("cudaMemcpyAsync", target, source, count, ctypes.c_int(kind), stream)

    def _call(self, name: str, *arguments: Any) -> None:
        code = int(getattr(self._runtime, name)(*arguments))
        if code:
            explain = self._runtime.cudaGetErrorString
            explain.restype = ctypes.c_char_p
            told = explain(ctypes.c_int(code))
            raise EngineError(
                f"{name} of CUDA failed with {code}: {told.decode('ascii', 'replace')}"
            )
