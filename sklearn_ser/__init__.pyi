from . import audio as audio
from . import augmentation as augmentation
from . import datasets as datasets
from . import evaluation as evaluation
from . import features as features
from . import losses as losses
from . import metrics as metrics
from . import nets as nets
from . import plotting as plotting
from . import recipes as recipes
from . import sequences as sequences
from .audio import AudioError as AudioError
from .audio import AudioFileNotFoundError as AudioFileNotFoundError
from .audio import load_audio as load_audio
from .augmentation import SpeedPerturbation as SpeedPerturbation
from .augmentation import perturb_speed as perturb_speed
from .estimators import CVAE as CVAE
from .estimators import MetricDAE as MetricDAE
from .estimators import SequenceClassifier as SequenceClassifier
from .features import MFCC as MFCC
from .features import EGeMAPS as EGeMAPS
from .features import LogMel as LogMel
from .features import LogMelProsody as LogMelProsody
from .features import LogMelSegmenter as LogMelSegmenter
from .features import SequencePooling as SequencePooling
from .features import SpectrogramSegmenter as SpectrogramSegmenter

__version__: str
