"""The plugin from source: what `pulumi package add PATH/provider` starts."""

from nugen_pulumi.plugin.__main__ import main

main()
