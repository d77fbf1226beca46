"""Constants of nature and units that the formulae share."""

from typing import Final

GRAVITY_M_S2: Final = 9.80665  #: standard gravity (ISO 80000-3)
PA_PER_BAR: Final = 1e5
S_PER_H: Final = 3600.0
KW_PER_TON: Final = 3.516853  #: refrigeration ton (AHRI 551/591)
WATER_DENSITY_KG_M3: Final = 998.2  #: at 20 °C
WATER_HEAT_CAPACITY_KJ_KG_K: Final = 4.186  #: between 5 and 35 °C, within 0.3 %
