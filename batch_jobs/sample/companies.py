"""The companies of the sample, each a workspace: twenty-five by name, more of them from towns and trades."""

from dataclasses import dataclass, replace
from typing import Literal

from batch_jobs.rules.entities import ApprovalKind
from batch_jobs.sample.countries.country import Country, Trade
from batch_jobs.sample.countries.denmark import DENMARK
from batch_jobs.sample.countries.france import FRANCE
from batch_jobs.sample.countries.germany import GERMANY
from batch_jobs.sample.countries.united_states import UNITED_STATES
from batch_jobs.sample.spelling import slug

Fault = Literal["undefined_terms", "manager_left", "change_of_nobody", "unpaid_leave"]
Chapter = Literal["ordinary", "signed_up", "wound_down", "suspended"]

_COUNTRIES = {country.code: country for country in (DENMARK, FRANCE, GERMANY, UNITED_STATES)}


@dataclass(frozen=True)
class Company:
    """What tells one workspace from another.

    Attributes:
        approval: of the contracts that leave it to the company.
        trade_id: a key of the country's trades.
        subdivision: of the country in the `holidays` library.
        second_site: subdivision of another site, which has a holiday calendar of its own.
        chapter: `signed_up` has settings but no people yet, `wound_down` has let everyone go; neither has anything
            due. `suspended` stopped some weeks ago.
        nights_missed: the jobs did not run on that many of the last nights.
        faults: data that makes a job warn.
    """

    workspace_id: str
    name: str
    country_code: str
    timezone: str
    trade_id: str
    approval: ApprovalKind
    subdivision: str | None = None
    second_site: str | None = None
    chapter: Chapter = "ordinary"
    nights_missed: int = 0
    faults: tuple[Fault, ...] = ()

    @property
    def country(self) -> Country:
        """The country's names, contracts and habits."""
        return _COUNTRIES[self.country_code]

    @property
    def trade(self) -> Trade:
        """What the company lives by."""
        return self.country.trades[self.trade_id]


_CPH, _PAR, _BER = "Europe/Copenhagen", "Europe/Paris", "Europe/Berlin"
_NYC, _CHI, _LAX, _HNL = "America/New_York", "America/Chicago", "America/Los_Angeles", "Pacific/Honolulu"

_NAMED = (
    Company("nordlys-design", "Nordlys Design ApS", "DK", _CPH, "design", "monthly"),
    Company("atelier-lumiere", "Atelier Lumière", "FR", _PAR, "design", "monthly"),
    Company("rheinwerk-software", "Rheinwerk Software GmbH", "DE", _BER, "software", "weekly", "NW"),
    Company("harbor-light-clinic", "Harbor Light Clinic", "US", _NYC, "health", "biweekly", "MA"),
    Company(
        *("havnens-bageri", "Havnens Bageri ApS", "DK", _CPH, "bakery", "biweekly"),
        faults=("undefined_terms", "unpaid_leave"),
    ),
    Company("boulangerie-zephyr", "Boulangerie Zéphyr", "FR", _PAR, "bakery", "weekly", nights_missed=9),
    Company("bergmann-bau", "Bergmann Bau GmbH & Co. KG", "DE", _BER, "building", "biweekly", "BY", "BE"),
    Company("aloha-surf-supply", "Aloha Surf Supply", "US", _HNL, "retail", "weekly", "HI"),
    Company("fjordlys-handel", "Fjordlys Handel A/S", "DK", _CPH, "retail", "monthly", chapter="wound_down"),
    Company("clinique-des-tilleuls", "Clinique des Tilleuls", "FR", _PAR, "health", "monthly", "6AE"),
    Company("kiezkueche-berlin", "Kiezküche Berlin", "DE", _BER, "kitchen", "weekly", "BE", chapter="signed_up"),
    Company("prairie-wind-logistics", "Prairie Wind Logistics", "US", _CHI, "logistics", "biweekly", "IL", "MO"),
    Company("soelund-revision", "Sølund Revision I/S", "DK", _CPH, "accounting", "monthly"),
    Company("transports-garonne", "Transports Garonne", "FR", _PAR, "logistics", "none"),
    Company("isarblick-logistik", "Isarblick Logistik", "DE", _BER, "logistics", "biweekly", "BY", chapter="suspended"),
    Company(
        *("golden-gate-robotics", "Golden Gate Robotics, Inc.", "US", _LAX, "software", "monthly", "CA"),
        faults=("manager_left", "change_of_nobody"),
    ),
    Company("aarhus-byg", "Aarhus Byg A/S", "DK", _CPH, "building", "biweekly"),
    Company("cooperative-du-vercors", "Coopérative du Vercors", "FR", _PAR, "farm", "monthly"),
    Company("mueller-feinmechanik", "Müller Feinmechanik", "DE", _BER, "precision", "monthly", "BW"),
    Company("blue-ridge-books", "Blue Ridge Books", "US", _NYC, "books", "monthly", "VA"),
    Company("kattegat-software", "Kattegat Software ApS", "DK", _CPH, "software", "none"),
    Company("studio-kerguelen", "Studio Kerguelen", "FR", _PAR, "design", "monthly"),
    Company("nordsee-pflegedienst", "Nordsee Pflegedienst", "DE", _BER, "health", "monthly", "HH", nights_missed=3),
    Company("obrien-and-sons-roofing", "O'Brien & Sons Roofing", "US", _CHI, "building", "biweekly", "TX"),
    Company("lille-friskole", "Lille Friskole", "DK", _CPH, "school", "monthly"),
)


def company(number: int) -> Company:
    """The company of workspace `number`, counted from 0: the same however many there are.

    Those after the named ones repeat their circumstances in other towns and under other names.
    """
    named = _NAMED[number % len(_NAMED)]
    if number < len(_NAMED):
        return named
    towns = named.country.towns
    town = towns[number // len(_NAMED) % len(towns)]
    name = f"{town} {named.trade.name}"
    return replace(named, workspace_id=f"{slug(name)}-{number}", name=name)
