"""What every front end shares: the loop over recordings, its cache and its faults."""

from __future__ import annotations

import os
from abc import ABCMeta, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import joblib
import numpy as np
import scipy
import soundfile as sf
import soxr
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from tqdm.auto import tqdm

from .._constants import N_LISTED
from .._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    TablesFollowSetOutput,
    validate_params,
)
from .._warnings import warn_user
from ..audio import (
    RATES,
    AudioError,
    as_recordings,
    decoding_once,
    describe,
    fingerprint,
    naming,
    read_signal,
)
from ._store import DamagedError, FeatureStore, code_of

Features = NDArray[np.float32]
Notes = dict[str, list[str]]


class RecordingTransformer(
    TablesFollowSetOutput, TransformerMixin, BaseEstimator, metaclass=ABCMeta
):
    """Base class of the stateless transformers from recordings to features.

    A front end of one's own says in two methods what it computes. It gets from this
    class: any recording that :func:`sklearn_ser.audio.as_recordings` takes, decoded,
    resampled and mixed to one channel; threads, a cache, a progress bar; faults that
    name their recording; pandas and polars by ``set_output``.
    `sklearn_ser.evaluation.evaluate_by_speaker` runs it once, before the folds are
    made.

    Parameters
    ----------
    sampling_rate : int or None, default=16000
        The rate in Hz to which recordings are resampled. None keeps the rate of each
        recording.
    channel : "mean" or int, default="mean"
        Which channel of a recording is taken, counted from 0, or the mean of all.
        A silent channel beside others is warned of; channels that cancel each other
        in their mean are a fault.
    n_jobs : int or None, default=None
        Number of threads; None means 1 unless in a :obj:`joblib.parallel_config`
        context, -1 means all processors.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Where the features of each recording are cached, by default nowhere. The content
        of a recording and the settings are the key: a renamed file is found again, a
        changed one is not, and faulty recordings are never cached.
    on_error : {"raise", "nan", "warn"}, default="raise"
        What a faulty recording does. "raise" raises an error at once; "nan" gives a row
        of NaN, or a sequence without frames; "warn" does the same, and lists all such
        recordings in one warning at the end.
    verbose : bool, default=False
        Whether to show a progress bar over the recordings.

    See Also
    --------
    EGeMAPS : The front end of the examples; all others are children, too.
    has_features : Which recordings have features.

    Notes
    -----
    A child has to define:

    ``_extract(signal, rate)``
        The features of one recording: an array of shape (n_features,), or for a front
        end that gives frames (n_frames, n_features). ``signal`` is a 1-D float32
        array, ``rate`` its rate in Hz. It is called from several threads at a time. It
        raises `AudioError` for a recording that has no features, which `on_error` is
        about; every other error ends `transform`.
    ``get_feature_names_out(input_features=None)``
        The names of the features, as an array of dtype object.

    It may define:

    ``_is_ragged()``
        Whether the features come in frames; False by default.
    ``_settings()``
        All that the features depend on, beside `sampling_rate` and `channel`, as a
        tuple of values whose ``repr`` tells them apart: the key of the cache. By
        default all parameters that this class does not have, and the versions of numpy
        and SciPy. Append the versions of other libraries that compute:
        ``return *super()._settings(), version("pyworld")``.
    ``_note(signal)``
        What a warning is to say of a recording that has features, or None.
    ``_check_params()``
        Checks whether the parameters fit together, after ``super()._check_params()``.

    The constructor names its parameters, as scikit-learn asks for, and hands those of
    this class on. One that it does not name has its default. `SpeedPerturbation` needs
    `on_error`.

    The cache is renewed when the code of the class changes: the modules that its bases
    and itself come from, or, where there is no file, as in a notebook, what is compiled
    of its methods, and of the functions and constants of the notebook that they use.
    Modules that they import are not looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.features import RecordingTransformer
    >>> class ZeroCrossings(RecordingTransformer):
    ...     def __init__(self, floor=1e-4, *, memory=None, on_error="raise"):
    ...         super().__init__(memory=memory, on_error=on_error)
    ...         self.floor = floor
    ...
    ...     def _extract(self, signal, rate):
    ...         loud = signal[np.abs(signal) > self.floor]
    ...         crossings = np.count_nonzero(np.diff(np.sign(loud)))
    ...         loudness = np.sqrt(np.mean(signal**2))
    ...         return np.array([loudness, crossings * rate / signal.size])
    ...
    ...     def get_feature_names_out(self, input_features=None):
    ...         return np.array(["loudness", "zero_crossings"], dtype=object)
    >>> times = np.arange(16000) / 16000
    >>> voices = [0.5 * np.sin(2 * np.pi * pitch * times + 1) for pitch in (110, 220)]
    >>> features = ZeroCrossings().fit_transform(voices)
    >>> features.shape, features[:, 1].tolist()
    ((2, 2), [220.0, 440.0])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_rate": [Interval(Integral, *RATES, closed="both"), None],
        "channel": [StrOptions({"mean"}), Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "memory": [str, os.PathLike, HasMethods("cache"), None],
        "on_error": [StrOptions({"raise", "nan", "warn"})],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        sampling_rate: int | None = 16000,
        channel: str | int = "mean",
        n_jobs: int | None = None,
        memory: Any = None,
        on_error: str = "raise",
        verbose: bool = False,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.channel = channel
        self.n_jobs = n_jobs
        self.memory = memory
        self.on_error = on_error
        self.verbose = verbose

    @abstractmethod
    def _extract(self, signal: Features, rate: int) -> Any:
        """Compute the features of one mono signal: 1-D, or (n_frames, n_features)."""

    def _note(self, signal: Features) -> str | None:
        """Return what a warning should say of a signal that has features."""
        return None

    def _settings(self) -> tuple[object, ...]:
        """Return all, save sampling rate and channel, that the features depend on."""
        irrelevant = RecordingTransformer._parameter_constraints
        settings = sorted(self.get_params(deep=False).items())
        return (
            *(type(self).__name__, np.__version__, scipy.__version__),
            *((name, _told(x)) for name, x in settings if name not in irrelevant),
        )

    def _is_ragged(self) -> bool:
        """Tell whether the features come in frames."""
        return False

    @abstractmethod
    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Return the names of the features.

        Parameters
        ----------
        input_features : None
            Not used; here for the API of scikit-learn.

        Returns
        -------
        ndarray of shape (n_features,) and dtype object
            The names.
        """

    def fit(self, X: object, y: object = None) -> Self:
        """Check the parameters; nothing is learned.

        Parameters
        ----------
        X : object
            Not used.
        y : object
            Not used.

        Returns
        -------
        self
            The transformer itself.
        """
        self._check_params()
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Compute the features of recordings.

        Parameters
        ----------
        X : collection of n recordings
            Paths, segments ``(path, start, end)`` in seconds, waveforms, or
            ``(waveform, sampling_rate)`` tuples; also a DataFrame or an audformat
            index, see :func:`sklearn_ser.audio.as_recordings`.

        Returns
        -------
        ndarray of shape (n, n_features) and dtype float32, or of shape (n,) and \
dtype object
            One row for each recording; for features in frames, one float32 array
            of shape (n_frames_i, n_features) for each.

        Raises
        ------
        AudioError
            If a recording is faulty and ``on_error="raise"``.
        ValueError
            If ``X`` is empty or not a collection of recordings.
        """
        self._check_params()
        recordings = as_recordings(X)
        if not len(recordings):
            raise ValueError("X holds no recordings: found array with 0 sample(s).")
        results, faults, notes = self._run(recordings)
        self._check_width(results)
        for note, where in notes.items():
            warn_user(f"{_listed(where)}: {note}")
        if faults:
            self._report(faults, len(recordings))
            results = self._fill(results)
        if self._is_ragged():
            return np.fromiter(results, dtype=object, count=len(results))
        return np.stack(results)

    def _check_params(self) -> None:
        """Check each parameter; a child class may also check them together."""
        validate_params(self)

    def _run(
        self, recordings: NDArray[np.object_]
    ) -> tuple[list[Any], dict[int, AudioError], Notes]:
        """Return the features, None where there are none, the faults, the notes."""
        faults: dict[int, AudioError] = {}
        # What to warn of, once, and the recordings that it is said of.
        notes: Notes = defaultdict(list)
        # Filled where a fault arises, because this thread may hear of it late. (Other
        # processes, if a user asks for them, fill copies: hence once more below.)
        heard: list[AudioError] = []
        results: list[Any] = [None] * len(recordings)
        with decoding_once(recordings) as order:
            progress = tqdm(
                self._attempts(recordings, order, notes, heard),
                total=len(recordings),
                unit="recording",
                desc=type(self).__name__,
                disable=not self.verbose,
            )
            for done, result in enumerate(progress):
                if isinstance(result, AudioError):
                    faults[order[done]] = result
                    heard.append(result)
                else:
                    results[order[done]] = result
        return results, faults, notes

    def _attempts(
        self,
        recordings: NDArray[np.object_],
        order: list[int],
        notes: Notes,
        heard: list[AudioError],
    ) -> Iterator[Features | AudioError]:
        """Compute the features of recordings in an order, or their faults."""
        known = self._known(notes)
        compute: Callable[[Any], Features]
        if known is None:
            compute = partial(self._compute, notes=notes)
        else:
            compute = partial(_look_up, known, self, notes)
        # The threads run no code of scikit-learn, so they need no copy of its
        # configuration; its Parallel also sets the warning filters, which belong to
        # the whole process, anew in every thread.
        parallel = joblib.Parallel(
            n_jobs=self.n_jobs, prefer="threads", return_as="generator"
        )
        attempts: Iterator[Features | AudioError] = parallel(
            self._tasks(compute, recordings, order, heard)
        )
        return attempts

    def _tasks(
        self,
        compute: Callable[[Any], Any],
        recordings: NDArray[np.object_],
        order: list[int],
        heard: list[AudioError],
    ) -> Iterator[Any]:
        """Give the recordings to threads, until one of them has a fault that raises."""
        attempt = joblib.delayed(_attempt)
        for index in order:
            # Tasks that have begun run to their end, so that they are cached.
            if heard and self.on_error == "raise":
                return
            yield attempt(compute, recordings[index], heard)

    def _known(self, notes: Notes) -> KnownFeatures | None:
        """Return what the cache knows, None where there is no cache."""
        folder = self.memory
        if hasattr(folder, "cache"):  # a joblib.Memory, whose pickles are not read
            folder = getattr(folder, "location", None)
        if folder is None:
            return None
        settings = (
            *(code_of(type(self)), soxr.__version__),
            *(sf.__version__, sf.__libsndfile_version__),
            *(getattr(self, "sampling_rate", None), self.channel),
            *self._settings(),
        )
        return KnownFeatures(self._new_store(folder), repr(settings), notes)

    def _new_store(self, folder: str | os.PathLike[str]) -> FeatureStore:
        """Return the store of the features in a folder."""
        return FeatureStore(
            folder, len(self.get_feature_names_out()), self._is_ragged()
        )

    def _compute(self, recording: Any, notes: Notes) -> Features:
        """Compute the features of one recording."""
        name = describe(recording)
        signal, rate, note = read_signal(recording, self.sampling_rate, self.channel)
        for said in (note, self._note(signal)):
            if said:
                notes[said].append(name)
        with naming(name):
            return self._checked(self._extract(signal, rate))

    def _checked(self, features: Any) -> Features:
        """Return features as float32; refuse those that are none."""
        checked: Features = np.asarray(features, dtype=np.float32)
        if checked.ndim != 1 + self._is_ragged():
            raise ValueError(
                f"_extract of {type(self).__name__} gave an array of shape "
                f"{checked.shape}: it must give (n_features,), or (n_frames, "
                "n_features) where _is_ragged gives True."
            )
        if not np.isfinite(checked).all():
            raise AudioError(
                f"{type(self).__name__} computes NaN or infinity from it; leave it out."
            )
        return checked

    def _check_width(self, results: list[Any]) -> None:
        """Refuse features that are not as many as their names."""
        width = len(self.get_feature_names_out())
        for index, features in enumerate(results):
            if features is not None and features.shape[-1] != width:
                raise ValueError(
                    f"recording {index} has {features.shape[-1]} features, but "
                    f"get_feature_names_out of {type(self).__name__} gives {width} "
                    "names."
                )

    def _report(self, faults: dict[int, AudioError], n_recordings: int) -> None:
        """Raise the first fault, or warn once of all of them."""
        if self.on_error == "raise":
            index, fault = next(iter(faults.items()))
            with naming(f"recording {index}"):
                raise fault
        if self.on_error == "warn":
            lines = [f"recording {i}: {faults[i]}" for i in sorted(faults)]
            more = len(lines) - N_LISTED
            if more > 0:
                lines[N_LISTED:] = [f"and {more:,} more"]
            warn_user(
                f"No features for {len(faults):,} of {n_recordings:,} recordings:\n"
                + "\n".join(lines)
            )

    def _fill(self, results: list[Any]) -> list[Features]:
        """Put NaN, or no frames, in the place of missing features."""
        n_features = len(self.get_feature_names_out())
        shape = (0, n_features) if self._is_ragged() else (n_features,)
        missing = np.full(shape, np.nan, dtype=np.float32)
        return [missing if result is None else result for result in results]

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that recordings come in and that nothing is learned."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def has_features(features: Any) -> NDArray[np.bool_]:
    """Tell which recordings have features.

    Parameters
    ----------
    features : ndarray or data frame of shape (n, n_features), or ndarray of shape \
(n,) and dtype object
        What a front end returned.

    Returns
    -------
    ndarray of shape (n,) and dtype bool
        False for the faulty recordings of ``on_error="nan"`` and ``"warn"``: those
        with a row of NaN, or with no frames.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.features import has_features
    >>> has_features(np.array([[0.5, 2.0], [np.nan, np.nan]]))
    array([ True, False])
    """
    rows = np.asarray(features)
    if rows.ndim == 1:
        return np.array(
            [not isinstance(x, np.ndarray) or len(x) > 0 for x in rows], dtype=bool
        )
    usable: NDArray[np.bool_] = ~np.isnan(rows).all(axis=1)
    return usable


def _told(value: Any) -> object:
    """Return a value whose text tells it apart: that of a long array is cut."""
    is_plain = value is None or isinstance(value, str | bool | int | float)
    return value if is_plain else joblib.hash(value)


def _attempt(
    compute: Callable[[Any], Features], recording: Any, heard: list[AudioError]
) -> Features | AudioError:
    """Return the features of a recording, or its fault, which is also noted."""
    try:
        return compute(recording)
    except AudioError as error:
        heard.append(error)
        return error


class KnownFeatures:
    """What a cache knows of recordings.

    Parameters
    ----------
    store : FeatureStore
        Where it lies.
    settings : str
        What the features depend on, beside the recording.
    notes : dict
        What a warning should say.
    """

    def __init__(self, store: FeatureStore, settings: str, notes: Notes) -> None:
        self._store = store
        self._settings = settings
        self._notes = notes

    def key(self, recording: Any) -> str:
        """Return the key of a recording."""
        return f"{self._settings} {fingerprint(recording)}"

    def load(self, key: str, name: str) -> Features | None:
        """Return what is known of a recording, None where nothing or damaged."""
        try:
            return self._store.load(key)
        except DamagedError:
            place = f"memory={str(self._store.folder)!r}"
            said = f"its features in {place} are damaged: made anew."
            self._notes[said].append(name)
            return None

    def save(self, key: str, name: str, features: Features) -> None:
        """Keep the features of a recording, or note that it cannot be done."""
        try:
            self._store.save(key, features)
        except OSError as error:
            place = f"memory={str(self._store.folder)!r}"
            said = f"its features cannot be kept in {place} ({error})."
            self._notes[said].append(name)


def _look_up(
    known: KnownFeatures,
    transformer: RecordingTransformer,
    notes: Notes,
    recording: Any,
) -> Features:
    """Take the features of a recording from the cache, or compute them into it."""
    name, key = describe(recording), known.key(recording)
    features = known.load(key, name)
    if features is None:
        features = transformer._compute(recording, notes)
        known.save(key, name, features)
    return features


def _listed(names: list[str]) -> str:
    """Name some recordings, and count the others."""
    more = len(names) - N_LISTED
    shown = ", ".join(names[:N_LISTED])
    return f"{shown} and {more:,} more" if more > 0 else shown
