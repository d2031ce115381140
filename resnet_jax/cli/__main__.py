"""`python -m resnet_jax.cli`, the same as `resnet-jax`."""

import sys

from resnet_jax.cli import main

sys.exit(main())
