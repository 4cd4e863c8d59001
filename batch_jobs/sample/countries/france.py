"""France: 35 hours, congés payés from June to May, RTT, the solidarity day on Whit Monday."""

from datetime import date

from batch_jobs.rules.calendars import holidays_between
from batch_jobs.rules.entities import HolidayCalendar
from batch_jobs.sample.countries.country import Contract, Country, Department, Leave, Payload, Trade, five_days, week


def _custom_days(year: int) -> list[Payload]:
    public = holidays_between(HolidayCalendar("fr", "", "FR"), date(year, 5, 11), date(year, 6, 14))
    # The journée de solidarité is worked. Whit Monday is the one public holiday on a Monday of these weeks.
    return [
        {"date": day.isoformat(), "name": "Journée de solidarité", "fraction": 0.0}
        for day in public
        if day.weekday() == 0
    ]


FRANCE = Country(
    code="FR",
    locale="fr",
    given_names=(
        *("Zoé", "Anaïs", "Benoît", "Chloé", "Désiré", "Éloïse", "François", "Gaëlle", "Hélène", "Inès", "Jérôme"),
        *("Karim", "Loïc", "Maëlys", "Noémie", "Océane", "Pascal", "Quentin", "Raphaël", "Sébastien", "Thérèse"),
        *("Ulysse", "Véronique", "William", "Xavier", "Yann", "Amélie", "Théo", "Solène", "Rémi", "Aïcha", "Gérard"),
    ),
    family_names=(
        *("Lefèvre", "Garnier", "Béranger", "D'Almeida", "Étienne", "Faure", "Guérin", "Hervé", "Imbert", "Jaouen"),
        *("Kerbrat", "Lacroix", "Mérimée", "N'Diaye", "Olivier", "Périer", "Quéméner", "Rousseau", "Saint-Jean"),
        *("Tréguier", "Urbain", "Vasseur", "Weber", "Yilmaz", "Benali", "Chauvin", "Dupré", "Moreau-Petit", "Roche"),
    ),
    others=(("Łucja Zając", "Lucie"), ("Zoë O'Connor", "Zoë"), ("阮文雄", "Hùng")),
    towns=(
        "Lyon",
        "Nantes",
        "Grenoble",
        "Annecy",
        "Béziers",
        "Orléans",
        "Saint-Étienne",
        "Brest",
        "Dijon",
        "Angoulême",
    ),
    clients=("Ville de Lyon", "Théâtre du Quai", "Maison Béranger", "Région Bretagne", "Halles de Nîmes"),
    calendar_name="Jours fériés",
    custom_days=_custom_days,
    company_day="Pont offert par la maison",
    top_title="Directrice générale",
    senior_title="{} senior",
    departments=(
        Department("Administration", ("Paie et personnel", "Comptabilité"), ("Responsable RH", "Gestionnaire de paie")),
        Department("Commerce", ("Ventes", "Service client"), ("Directeur commercial", "Chargée de clientèle")),
        Department("Technique", ("Informatique", "Logistique"), ("Responsable technique", "Technicien", "Magasinier")),
    ),
    trades={
        "design": Trade(
            "Création",
            Department("Studio", ("Image", "Édition", "Scénographie"), ("Directrice artistique", "Graphiste")),
            ("Création", "Recherche", "Réunions"),
            ("Identité visuelle", "Exposition", "Site internet", "Catalogue"),
        ),
        "bakery": Trade(
            "Boulangerie",
            Department("Fournil", ("Équipe de nuit", "Pâtisserie", "Boutique"), ("Chef boulanger", "Boulangère")),
            ("Fabrication", "Vente", "Nettoyage"),
            ("Galettes des rois", "Livraison aux écoles", "Nouvelle boutique"),
        ),
        "health": Trade(
            "Clinique",
            Department(
                "Soins", ("Accueil", "Médecine", "Rééducation"), ("Cadre de santé", "Infirmier", "Aide-soignante")
            ),
            ("Soins", "Consultations", "Transmissions"),
            ("Semaine de la vaccination", "Nouveau bâtiment", "Dossier patient"),
        ),
        "logistics": Trade(
            "Transports",
            Department("Exploitation", ("Quais", "Tournées", "Affrètement"), ("Chef d'exploitation", "Conductrice")),
            ("Conduite", "Chargement", "Planification"),
            ("Tournée express", "Nouvel entrepôt", "Camions électriques"),
        ),
        "farm": Trade(
            "Coopérative",
            Department("Production", ("Fromagerie", "Cueillette", "Boutique"), ("Chef de production", "Fromagère")),
            ("Production", "Récolte", "Vente"),
            ("Affinage", "Marché de Noël", "Label rouge"),
        ),
    },
    contracts=(
        Contract("temps-plein", "Temps plein 35 heures", five_days(420), 58),
        Contract("cadre", "Cadre, 39 heures avec RTT", five_days(420), 18, "horaire-cadre"),
        Contract("temps-partiel-30", "Temps partiel 30 heures", (week(450, 450, 0, 450, 450),), 8),
        Contract("temps-partiel-25", "Temps partiel 25 heures", five_days(300), 5),
        Contract("temps-partiel-22", "Temps partiel 22 heures", (week(330, 330, 0, 330, 330),), 4),
        Contract("quinzaine", "Semaines alternées", (week(480, 480, 480, 480, 480), week(450, 450, 450, 450)), 7),
    ),
    top_contract=Contract("dirigeant", "Cadre dirigeant", five_days(420), 0, approval="none"),
    work_time_policies=(
        {
            "policy_id": "horaire-cadre",
            "name": "Horaire des cadres",
            "norm": [[480, 480, 480, 480, 420, 0, 0]],
            "max_daily_minutes": 600,
            "max_weekly_minutes": 2880,
        },
    ),
    accounts=(
        {"account_id": "conges-payes", "name": "Congés payés", "kind": "time_off", "unit": "days"},
        {"account_id": "rtt", "name": "RTT", "kind": "time_off", "unit": "days"},
        {"account_id": "enfant-malade", "name": "Enfant malade", "kind": "time_off", "unit": "days"},
        {"account_id": "repos-compensateur", "name": "Repos compensateur", "kind": "time_off", "unit": "hours"},
        {"account_id": "astreinte", "name": "Astreintes", "kind": "allowance", "unit": "hours"},
    ),
    activities=(
        {"activity_id": "absences", "name": "Absences", "kind": "time_off"},
        {"activity_id": "conges", "name": "Congés payés", "kind": "time_off", "parent_id": "absences"},
        {"activity_id": "rtt", "name": "RTT", "kind": "time_off", "parent_id": "absences"},
        {"activity_id": "repos", "name": "Repos compensateur", "kind": "time_off", "parent_id": "absences"},
        {"activity_id": "maladie", "name": "Maladie", "kind": "time_off", "parent_id": "absences"},
        {"activity_id": "enfant", "name": "Enfant malade", "kind": "time_off", "parent_id": "absences"},
        {"activity_id": "dejeuner", "name": "Déjeuner d'équipe", "kind": "non_work"},
        {"activity_id": "astreinte", "name": "Astreinte", "kind": "allowance"},
    ),
    general_work="Travail",
    time_off_policies=(
        {
            "policy_id": "conges-payes",
            "name": "Congés payés",
            "account_id": "conges-payes",
            "activity_id": "conges",
            "accrual": {
                "plugin": "monthly",
                "annual": 2500,
                "year_start_month": 6,
                "rounding": "difference_to_target",
            },
            "expiration": {"months_after_year_end": 12},
        },
        {
            "policy_id": "rtt",
            "name": "RTT",
            "account_id": "rtt",
            "activity_id": "rtt",
            "accrual": {"plugin": "yearly", "annual": 1000, "timing": "year_start", "prorate_employment": True},
            "expiration": {"months_after_year_end": 1},
        },
        {
            "policy_id": "enfant-malade",
            "name": "Enfant malade",
            "account_id": "enfant-malade",
            "activity_id": "enfant",
            "accrual": {"plugin": "yearly", "annual": 300, "timing": "year_start"},
            "expiration": {"months_after_year_end": 1},
        },
        {
            "policy_id": "repos-compensateur",
            "name": "Repos compensateur",
            "account_id": "repos-compensateur",
            "activity_id": "repos",
        },
        {"policy_id": "maladie", "name": "Arrêt maladie", "activity_id": "maladie"},
        {"policy_id": "sans-solde", "name": "Congé sans solde"},
    ),
    allowance_policies=(
        {"policy_id": "astreinte", "name": "Astreinte", "account_id": "astreinte", "activity_id": "astreinte"},
    ),
    leave=Leave(
        holiday="conges-payes",
        extra="rtt",
        lieu="repos-compensateur",
        sick="maladie",
        care="enfant-malade",
        unpaid="sans-solde",
        summer=(7, 20),
        summer_weeks=(2, 3),
        winter=(2, 8),
        days_a_year=25,
    ),
    rejections=("Trop d'absents cette semaine-là", "Inventaire ce jour-là"),
    reopenings=("Il manque les heures de mardi", "Merci de corriger le projet"),
)
