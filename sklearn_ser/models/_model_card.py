"""What a model is, whom it was learned from and how good it is, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..evaluation._protocol import parts
from ..features import EGeMAPS, SpeechEmbedding

_OPENSMILE = (
    "Its features are computed by openSMILE, which is free for research and not for "
    "commercial use: see the licence of openSMILE."
)
_LIMITS = """\
## Limits

- Emotions as a group of speakers has acted or shown them, and as others have named
  them; not what a person feels.
- Other languages, microphones, ages and occasions than those of the corpus were not
  tested: expect less, and test on speakers of your own.
- No decision about a person should rest on it.
"""
_USE = """\
## To use it

    from sklearn_ser import models

    model = models.load("model.skops")
    model.predict(["recording.wav"])

Loading constructs types of a fixed list alone. `sklearn-ser predict model.skops
FOLDER --output predictions.csv` does the same for many recordings.
"""


def model_card(model: Any, card: Mapping[str, Any] | None = None) -> str:
    """Describe a fitted model for those who may use it.

    Parameters
    ----------
    model : estimator
        Fitted, from recordings on.
    card : dict or None, default=None
        That of its evaluation; None takes the attribute `card_` of the model.

    Returns
    -------
    str
        Markdown: intended use, corpus, scores by speaker, licences, limits.

    Examples
    --------
    >>> from sklearn_ser import models, recipes
    >>> from sklearn_ser.datasets import make_emotional_speech
    >>> corpus = make_emotional_speech(n_speakers=2, n_repetitions=2)
    >>> model = recipes.logmel_baseline().fit(corpus.audio, corpus.emotion)
    >>> print(models.model_card(model).splitlines()[0])
    # Model of emotion in speech
    """
    if card is None:
        card = getattr(model, "card_", None)
    target = "emotion" if card is None else card["target"]
    steps = ", then ".join(type(step).__name__ for step in _steps(model))
    sections = [
        f"# Model of {target} in speech\n",
        f"It takes recordings of one speaker and gives {_given(model, target)}. "
        f"Steps: {steps}. Intended use: research, and aggregate description of "
        "recordings like those of the corpus below.\n",
        *(_of_corpus(card) if card else ["It was not evaluated.\n"]),
        *_licences(model, card),
        _LIMITS,
        _USE,
    ]
    return "\n".join(sections)


def _steps(model: Any) -> list[Any]:
    """List the steps of a pipeline, or what is around it."""
    return [step for _, step in getattr(model, "steps", [("", model)])]


def _given(model: Any, target: str) -> str:
    """Say what comes out."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        return f"values of {target}"
    names = ", ".join(str(label) for label in classes)
    has_probabilities = hasattr(model, "predict_proba")
    what = "one of these, with probabilities" if has_probabilities else "one of these"
    return f"{what}: {names}"


def _of_corpus(card: Mapping[str, Any]) -> Iterator[str]:
    """Describe the corpus and the scores."""
    corpus, scores = card["corpus"], card["scores"]
    yield "## Corpus\n"
    counts = ", ".join(f"{name} {n}" for name, n in corpus["classes"].items())
    yield (
        f"{corpus['name']}: {corpus['evaluated']} utterances of {corpus['speakers']} "
        f"speakers ({counts}). The model was fitted on all of them.\n"
    )
    yield "## Scores, by speakers that were held out\n"
    yield "| score | pooled | 95 % interval over speakers |\n| --- | ---: | --- |"
    for name in ("wa", "ua", "f1"):
        low, high = scores["intervals"].get(name) or (None, None)
        interval = "" if low is None else f"{low:.3f} to {high:.3f}"
        yield f"| {name.upper()} | {scores[name]:.3f} | {interval} |"
    findings = (card["leaks"] or {}).get("findings", [])
    leaks = {found["kind"] for found in findings if found["severity"] == "leak"}
    yield f"\nLeaks that were found: {', '.join(sorted(leaks)) or 'none'}.\n"
    if card["speaker_statistics"]:
        yield f"Statistics of tested speakers: {card['speaker_statistics']}.\n"


def _licences(model: Any, card: Mapping[str, Any] | None) -> Iterator[str]:
    """Name the licences that go with features and corpora."""
    yield "## Licences\n"
    found = [*parts(model)]
    if any(isinstance(part, EGeMAPS) for part in found):
        yield _OPENSMILE + "\n"
    for part in found:
        if isinstance(part, SpeechEmbedding):
            yield (
                f"Its features are computed by the encoder {part.model}, whose weights "
                "have a licence of their own and are not in this file.\n"
            )
            break
    name = "of the corpus" if card is None else f"of {card['corpus']['name']}"
    yield f"What the licence {name} says of models that are learned from it holds.\n"
