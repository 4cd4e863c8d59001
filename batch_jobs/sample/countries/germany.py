"""Germany: 40 hours, holiday credited in January and gone by the end of March, half Christmas Eve."""

from batch_jobs.sample.countries.country import Contract, Country, Department, Leave, Payload, Trade, five_days, week


def _custom_days(year: int) -> list[Payload]:
    return [
        {"date": f"{year}-12-24", "name": "Heiligabend", "fraction": 0.5},
        {"date": f"{year}-12-31", "name": "Silvester", "fraction": 0.5},
    ]


GERMANY = Country(
    code="DE",
    locale="en",
    given_names=(
        *("Jürgen", "Käthe", "Jörg", "Änne", "Günther", "Heike", "Ömer", "Ulrike", "Tobias", "Lena", "Maximilian"),
        *("Sabine", "Björn", "Ayşe", "Felix", "Greta", "Hannes", "Ilse", "Jonas", "Katharina", "Lukas", "Mareike"),
        *("Niklas", "Petra", "Quirin", "Rosemarie", "Stefan", "Theresa", "Uwe", "Viktoria", "Wolfgang", "Yvonne"),
    ),
    family_names=(
        *("Müller", "Schäfer", "Weiß", "Krüger", "Böhm", "Jäger", "Vogt", "Schröder", "Köhler", "Großmann", "Öztürk"),
        *("Lindner", "Brandt", "Hoffmann", "Zimmermann", "Busch", "Pohl", "Albrecht", "Voß", "Kowalski", "Yıldız"),
        *("von der Heide", "Sauer", "Haas", "Engel", "Möller", "Stein", "Ludwig", "Fränkel", "Thoma", "Übelhör"),
    ),
    others=(("Łukasz Müller", "Lukas"), ("Zoë Krämer", "Zoë"), ("Đorđe Petrović", "George")),
    towns=("Köln", "Leipzig", "Nürnberg", "Lübeck", "Würzburg", "Görlitz", "Tübingen", "Kiel", "Erfurt", "Gießen"),
    clients=("Stadtwerke Lübeck", "Gebr. Schäfer", "Hafen Kiel", "Universität Tübingen", "Bäckerei Vogt"),
    calendar_name="Feiertage",
    custom_days=_custom_days,
    company_day="Betriebsausflug",
    top_title="Geschäftsführerin",
    senior_title="Senior {}",
    departments=(
        Department("Verwaltung", ("Lohn und Personal", "Buchhaltung"), ("Personalleiter", "Lohnbuchhalterin")),
        Department("Vertrieb", ("Innendienst", "Außendienst"), ("Vertriebsleiterin", "Kundenberater")),
        Department("Betrieb", ("IT", "Lager"), ("Betriebsleiter", "Systemadministratorin", "Fachkraft für Lager")),
    ),
    trades={
        "software": Trade(
            "Software",
            Department("Entwicklung", ("Plattform", "Mobil", "Qualität"), ("Entwicklungsleiter", "Entwicklerin")),
            ("Entwicklung", "Wartung", "Besprechung"),
            ("Kundenportal", "Schnittstellen", "Neue App", "Umzug in die Cloud"),
        ),
        "building": Trade(
            "Bau",
            Department("Baustelle", ("Rohbau", "Ausbau", "Dach"), ("Bauleiterin", "Maurer", "Zimmerer")),
            ("Baustelle", "Fahrt", "Angebote"),
            ("Dachsanierung", "Kita-Neubau", "Fassade", "Brücke"),
        ),
        "kitchen": Trade(
            "Küche",
            Department("Küche und Service", ("Küche", "Service"), ("Küchenchef", "Köchin", "Servicekraft")),
            ("Küche", "Service", "Reinigung"),
            ("Catering", "Sommerfest", "Neue Karte"),
        ),
        "logistics": Trade(
            "Logistik",
            Department("Umschlag", ("Frühschicht", "Spätschicht", "Disposition"), ("Schichtleiter", "Fahrerin")),
            ("Umschlag", "Fahren", "Disposition"),
            ("Expresslinie", "Neues Lager", "Elektro-Lkw"),
        ),
        "precision": Trade(
            "Feinmechanik",
            Department("Fertigung", ("Drehen", "Fräsen", "Prüfung"), ("Fertigungsleiterin", "Mechaniker", "Prüferin")),
            ("Fertigung", "Rüsten", "Prüfen"),
            ("Messgeräte", "Kleinserie", "Ersatzteile"),
        ),
        "health": Trade(
            "Pflegedienst",
            Department("Pflege", ("Tour Nord", "Tour Süd", "Nachtdienst"), ("Pflegedienstleitung", "Pflegefachfrau")),
            ("Pflege", "Dokumentation", "Fahrt"),
            ("Tagespflege", "Schulung", "Neue Tour"),
        ),
    },
    contracts=(
        Contract("vollzeit", "Vollzeit 40 Stunden", five_days(480), 58),
        Contract("gleitzeit", "Vollzeit mit Gleitzeit", five_days(480), 18, "gleitzeit"),
        Contract("teilzeit-30", "Teilzeit 30 Stunden", five_days(360), 8),
        Contract("teilzeit-25", "Teilzeit 25 Stunden", five_days(300), 5),
        Contract("teilzeit-22", "Teilzeit 22 Stunden", (week(330, 330, 330, 330),), 4),
        Contract("wechselschicht", "Wechselschicht", (week(540, 540, 540, 540, 480), week(540, 540, 540, 540)), 7),
    ),
    top_contract=Contract("leitung", "Geschäftsleitung", five_days(480), 0, approval="none"),
    work_time_policies=(
        {
            "policy_id": "gleitzeit",
            "name": "Gleitzeit",
            "norm": [[495, 495, 495, 495, 420, 0, 0]],
            "max_daily_minutes": 600,
            "max_weekly_minutes": 2880,
            "flex_tracking": True,
        },
    ),
    accounts=(
        {"account_id": "urlaub", "name": "Urlaub", "kind": "time_off", "unit": "days"},
        {"account_id": "bildungsurlaub", "name": "Bildungsurlaub", "kind": "time_off", "unit": "days"},
        {"account_id": "kind-krank", "name": "Kind krank", "kind": "time_off", "unit": "days"},
        {"account_id": "freizeitausgleich", "name": "Freizeitausgleich", "kind": "time_off", "unit": "hours"},
        {"account_id": "rufbereitschaft", "name": "Rufbereitschaft", "kind": "allowance", "unit": "hours"},
    ),
    activities=(
        {"activity_id": "abwesenheit", "name": "Abwesenheit", "kind": "time_off"},
        {"activity_id": "urlaub", "name": "Urlaub", "kind": "time_off", "parent_id": "abwesenheit"},
        {"activity_id": "bildung", "name": "Bildungsurlaub", "kind": "time_off", "parent_id": "abwesenheit"},
        {"activity_id": "ausgleich", "name": "Freizeitausgleich", "kind": "time_off", "parent_id": "abwesenheit"},
        {"activity_id": "krank", "name": "Krankheit", "kind": "time_off", "parent_id": "abwesenheit"},
        {"activity_id": "kind-krank", "name": "Kind krank", "kind": "time_off", "parent_id": "abwesenheit"},
        {"activity_id": "betriebsrat", "name": "Betriebsversammlung", "kind": "non_work"},
        {"activity_id": "bereitschaft", "name": "Rufbereitschaft", "kind": "allowance"},
    ),
    general_work="Arbeit",
    time_off_policies=(
        {
            "policy_id": "urlaub",
            "name": "Urlaub",
            "account_id": "urlaub",
            "activity_id": "urlaub",
            "accrual": {"plugin": "yearly", "annual": 3000, "timing": "year_start", "prorate_employment": True},
            "expiration": {"months_after_year_end": 3},
        },
        {
            "policy_id": "bildungsurlaub",
            "name": "Bildungsurlaub",
            "account_id": "bildungsurlaub",
            "activity_id": "bildung",
            "accrual": {"plugin": "yearly", "annual": 500, "timing": "year_start"},
            "expiration": {"months_after_year_end": 12},
        },
        {
            "policy_id": "kind-krank",
            "name": "Kind krank",
            "account_id": "kind-krank",
            "activity_id": "kind-krank",
            "accrual": {"plugin": "yearly", "annual": 1000, "timing": "year_start"},
            "expiration": {"months_after_year_end": 1},
        },
        {
            "policy_id": "freizeitausgleich",
            "name": "Freizeitausgleich",
            "account_id": "freizeitausgleich",
            "activity_id": "ausgleich",
        },
        {"policy_id": "krankheit", "name": "Krankheit", "activity_id": "krank"},
        {"policy_id": "unbezahlt", "name": "Unbezahlter Urlaub"},
    ),
    allowance_policies=(
        {
            "policy_id": "rufbereitschaft",
            "name": "Rufbereitschaft",
            "account_id": "rufbereitschaft",
            "activity_id": "bereitschaft",
        },
    ),
    leave=Leave(
        holiday="urlaub",
        extra="bildungsurlaub",
        lieu="freizeitausgleich",
        sick="krankheit",
        care="kind-krank",
        unpaid="unbezahlt",
        summer=(7, 6),
        summer_weeks=(2, 3),
        winter=(10, 5),
        days_a_year=29,
    ),
    rejections=("Zu viele Kollegen im Urlaub", "Inventur an diesem Tag"),
    reopenings=("Am Dienstag fehlen Stunden", "Bitte das Projekt berichtigen"),
)
