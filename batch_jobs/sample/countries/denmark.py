"""Denmark: 37 hours, the Danish holiday year, feriefridage and omsorgsdage."""

from batch_jobs.sample.countries.country import Contract, Country, Department, Leave, Payload, Trade, five_days, week


def _custom_days(year: int) -> list[Payload]:
    return [
        {"date": f"{year}-06-05", "name": "Grundlovsdag", "fraction": 0.5},
        {"date": f"{year}-12-24", "name": "Juleaftensdag", "fraction": 1.0},
        {"date": f"{year}-12-31", "name": "Nytårsaftensdag", "fraction": 0.5},
    ]


DENMARK = Country(
    code="DK",
    locale="da",
    given_names=(
        *("Søren", "Mette", "Jørgen", "Åse", "Bjørn", "Karen", "Rasmus", "Freja", "Anders", "Sofie", "Mikkel", "Ida"),
        *("Lærke", "Emil", "Kirstine", "Magnus", "Signe", "Oliver", "Tove", "Nikolaj", "Maja", "Frederik", "Yasmin"),
        *("Aksel", "Birgitte", "Christian", "Dorthe", "Esben", "Fatima", "Gorm", "Helle", "Ib", "Jytte", "Kåre"),
    ),
    family_names=(
        *("Kierkegård", "Nielsen", "Jensen", "Hansen", "Pedersen", "Andersen", "Østergaard", "Sørensen", "Møller"),
        *("Bæk", "Thygesen", "Lund", "Holm", "Kjær", "Nørgaard", "Dahl", "Skovgård", "Engelbrecht", "Vestergaard"),
        *("Åkjær", "Winther", "Bruun", "Friis", "Toft", "Ravn", "Høgh", "Al-Sayed", "Nguyen", "Bøgelund", "Kofoed"),
    ),
    others=(("Łukasz Wiśniewski", "Łukasz"), ("Zoë van den Berg", "Zoë"), ("Þórdís Jónsdóttir", "Disa")),
    towns=("Aarhus", "Odense", "Roskilde", "Svendborg", "Helsingør", "Ærø", "Viborg", "Køge", "Ribe", "Holstebro"),
    clients=("Odense Kommune", "Havnens Venner", "Skovlund & Søn", "Region Sjælland", "Museet på Fanø", "Tivoli Nord"),
    calendar_name="Danske helligdage",
    custom_days=_custom_days,
    company_day="Firmaets fødselsdag",
    top_title="Administrerende direktør",
    senior_title="Senior {}",
    departments=(
        Department("Økonomi og HR", ("Løn og personale", "Bogholderi"), ("HR-chef", "Lønkonsulent", "Bogholder")),
        Department("Salg og service", ("Kundeservice", "Salg"), ("Salgschef", "Sælger", "Kundekonsulent")),
        Department("Drift og it", ("It", "Lager"), ("Driftsleder", "Systemadministrator", "Lagermedarbejder")),
    ),
    trades={
        "design": Trade(
            "Design",
            Department("Studiet", ("Grafik", "Digital", "Indretning"), ("Art director", "Designer", "Tekstforfatter")),
            ("Kundeopgaver", "Research", "Møder"),
            ("Ny visuel identitet", "Webshop", "Udstilling", "Emballage"),
        ),
        "bakery": Trade(
            "Bageri",
            Department("Bageriet", ("Nathold", "Konditori", "Butikken"), ("Bagermester", "Bager", "Ekspedient")),
            ("Bagning", "Ekspedition", "Rengøring"),
            ("Fastelavn", "Levering til kantiner", "Ny butik"),
        ),
        "retail": Trade(
            "Handel",
            Department("Butikkerne", ("Butik Nord", "Butik Syd"), ("Butikschef", "Salgsassistent", "Kasseassistent")),
            ("Butik", "Varemodtagelse", "Kasse"),
            ("Forårskampagne", "Ny butik", "Statusoptælling"),
        ),
        "accounting": Trade(
            "Revision",
            Department("Revision", ("Erhverv", "Moms og skat"), ("Partner", "Revisor", "Revisorassistent")),
            ("Revision", "Rådgivning", "Møder"),
            ("Årsregnskab", "Momsgennemgang", "Generationsskifte"),
        ),
        "building": Trade(
            "Byg",
            Department("Byggepladsen", ("Tømrere", "Murere", "Malere"), ("Byggeleder", "Tømrer", "Murer")),
            ("Byggeplads", "Kørsel", "Tilbud"),
            ("Tagrenovering", "Badeværelser", "Tilbygning", "Facade"),
        ),
        "software": Trade(
            "Software",
            Department("Udvikling", ("Platform", "Mobil", "Kvalitet"), ("Udviklingschef", "Udvikler", "Tester")),
            ("Udvikling", "Fejlretning", "Møder"),
            ("Kundeportal", "Integration", "Ny app", "Migrering"),
        ),
        "school": Trade(
            "Friskole",
            Department("Undervisning", ("Indskoling", "Udskoling", "SFO"), ("Skoleleder", "Lærer", "Pædagog")),
            ("Undervisning", "Forberedelse", "Forældremøder"),
            ("Lejrskole", "Skolekomedie", "Legeplads"),
        ),
    },
    contracts=(
        Contract("fuldtid", "Fuldtid 37 timer", five_days(444), 58),
        Contract("funktionaer", "Funktionær med flekstid", five_days(444), 16, "flekstid"),
        Contract("deltid-30", "Deltid 30 timer", five_days(360), 8),
        Contract("deltid-25", "Deltid 25 timer", five_days(300), 6),
        Contract("deltid-22", "Deltid 22 timer, fire dage", (week(330, 330, 330, 330),), 4),
        Contract("to-uger", "Lang og kort uge", (week(504, 504, 504, 504, 504), week(480, 480, 480, 480)), 8),
    ),
    top_contract=Contract("direktion", "Direktion", five_days(444), 0, approval="none"),
    work_time_policies=(
        {
            "policy_id": "flekstid",
            "name": "Flekstid",
            "norm": [[450, 450, 450, 450, 420, 0, 0]],
            "max_daily_minutes": 780,
            "max_weekly_minutes": 2880,
            "flex_tracking": True,
        },
    ),
    accounts=(
        {"account_id": "ferie", "name": "Ferie", "kind": "time_off", "unit": "days"},
        {"account_id": "feriefridage", "name": "Feriefridage", "kind": "time_off", "unit": "days"},
        {"account_id": "omsorgsdage", "name": "Omsorgsdage", "kind": "time_off", "unit": "days"},
        {"account_id": "afspadsering", "name": "Afspadsering", "kind": "time_off", "unit": "hours"},
        {"account_id": "vagttillaeg", "name": "Vagttillæg", "kind": "allowance", "unit": "hours"},
    ),
    activities=(
        {"activity_id": "fravaer", "name": "Fravær", "kind": "time_off"},
        {"activity_id": "ferie", "name": "Ferie", "kind": "time_off", "parent_id": "fravaer"},
        {"activity_id": "feriefri", "name": "Feriefridag", "kind": "time_off", "parent_id": "fravaer"},
        {"activity_id": "afspadsering", "name": "Afspadsering", "kind": "time_off", "parent_id": "fravaer"},
        {"activity_id": "sygdom", "name": "Sygdom", "kind": "time_off", "parent_id": "fravaer"},
        {"activity_id": "omsorg", "name": "Omsorgsdag", "kind": "time_off", "parent_id": "fravaer"},
        {"activity_id": "frokost", "name": "Frokostmøde", "kind": "non_work"},
        {"activity_id": "vagt", "name": "Vagt", "kind": "allowance"},
    ),
    general_work="Arbejde",
    time_off_policies=(
        {
            "policy_id": "ferie",
            "name": "Ferie",
            "account_id": "ferie",
            "activity_id": "ferie",
            "accrual": {"plugin": "danish_vacation"},
        },
        {
            "policy_id": "feriefridage",
            "name": "Feriefridage",
            "account_id": "feriefridage",
            "activity_id": "feriefri",
            "accrual": {"plugin": "yearly", "annual": 500, "year_start_month": 9, "timing": "year_start"},
            "expiration": {"months_after_year_end": 4},
        },
        {
            "policy_id": "omsorgsdage",
            "name": "Omsorgsdage",
            "account_id": "omsorgsdage",
            "activity_id": "omsorg",
            "accrual": {"plugin": "yearly", "annual": 200, "year_start_month": 1, "timing": "year_start"},
        },
        {
            "policy_id": "afspadsering",
            "name": "Afspadsering",
            "account_id": "afspadsering",
            "activity_id": "afspadsering",
        },
        {"policy_id": "sygdom", "name": "Sygdom", "activity_id": "sygdom"},
        {"policy_id": "orlov", "name": "Orlov uden løn"},
    ),
    allowance_policies=(
        {"policy_id": "vagttillaeg", "name": "Vagttillæg", "account_id": "vagttillaeg", "activity_id": "vagt"},
    ),
    leave=Leave(
        holiday="ferie",
        extra="feriefridage",
        lieu="afspadsering",
        sick="sygdom",
        care="omsorgsdage",
        unpaid="orlov",
        summer=(6, 29),
        summer_weeks=(2, 3),
        winter=(10, 12),
        days_a_year=25,
    ),
    rejections=("For mange på ferie i den uge", "Vi har statusopgørelse den dag"),
    reopenings=("Der mangler timer på tirsdag", "Projektet er forkert, ret det venligst"),
)
