"""The sensors of a battery."""

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import UnitOfElectricPotential
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from . import DOMAIN
from .client import Reading

SENSORS = {
    "Pack voltage": lambda reading: reading.total_voltage,
    "Weakest cell": lambda reading: min(reading.cell_voltages, default=None),
}


async def async_setup_entry(
    hass: HomeAssistant, entry: ConfigEntry, add: AddEntitiesCallback
) -> None:
    coordinator = hass.data[DOMAIN][entry.entry_id]
    add(Voltage(coordinator, name) for name in SENSORS)


class Voltage(CoordinatorEntity, SensorEntity):
    """A voltage; unavailable while the battery does not answer, as the coordinator says."""

    _attr_device_class = SensorDeviceClass.VOLTAGE
    _attr_native_unit_of_measurement = UnitOfElectricPotential.VOLT

    def __init__(self, coordinator, name: str) -> None:
        super().__init__(coordinator)
        self._attr_name = name

    @property
    def native_value(self) -> float | None:
        reading: Reading = self.coordinator.data
        return SENSORS[self.name](reading)
