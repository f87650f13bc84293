from . import audio as audio
from . import datasets as datasets
from . import evaluation as evaluation
from . import features as features
from . import losses as losses
from . import metrics as metrics
from . import nets as nets
from . import plotting as plotting
from . import recipes as recipes
from .audio import AudioError as AudioError
from .audio import AudioFileNotFoundError as AudioFileNotFoundError
from .audio import load_audio as load_audio
from .estimators import MetricDAE as MetricDAE
from .features import EGeMAPS as EGeMAPS

__version__: str
