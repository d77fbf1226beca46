"""Constants of nature and units that the formulae share."""

from typing import Final

GRAVITY_M_S2: Final = 9.80665  #: standard gravity (ISO 80000-3)
PA_PER_BAR: Final = 1e5
STANDARD_ATMOSPHERE_PA: Final = 101_325.0  #: at sea level (ISO 2533)
STANDARD_ATMOSPHERE_BAR: Final = STANDARD_ATMOSPHERE_PA / PA_PER_BAR
S_PER_H: Final = 3600.0
ZERO_CELSIUS_K: Final = 273.15
GAS_CONSTANT_J_MOL_K: Final = 8.314462618  #: molar gas constant (CODATA 2018)
KW_PER_TON: Final = 3.516853  #: refrigeration ton (AHRI 551/591)
BTU_PER_WH: Final = 3.412142  #: energy efficiency ratio over COP (AHRI 550/590)
WATER_DENSITY_KG_M3: Final = 998.2  #: at 20 °C
WATER_HEAT_CAPACITY_KJ_KG_K: Final = 4.186  #: between 5 and 35 °C, within 0.3 %
WATER_HEAT_OF_EVAPORATION_KJ_KG: Final = 2430.0  #: at 30 °C, within 1 % from 20 to 40 °C (IAPWS)
