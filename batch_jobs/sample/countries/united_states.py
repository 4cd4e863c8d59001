"""United States: 40 hours, paid time off by the hour, the 9/80 schedule, the day after Thanksgiving."""

from datetime import date, timedelta

from batch_jobs.sample.countries.country import Contract, Country, Department, Leave, Payload, Trade, five_days, week


def _custom_days(year: int) -> list[Payload]:
    november_first = date(year, 11, 1)
    thanksgiving = november_first + timedelta(days=(3 - november_first.weekday()) % 7 + 21)
    return [
        {"date": (thanksgiving + timedelta(days=1)).isoformat(), "name": "Day after Thanksgiving", "fraction": 1.0},
        {"date": f"{year}-12-24", "name": "Christmas Eve", "fraction": 0.5},
    ]


UNITED_STATES = Country(
    code="US",
    locale="en",
    given_names=(
        *("Maria", "José", "Siobhán", "Terrence", "Keoni", "Aaliyah", "Brandon", "Chloë", "DeShawn", "Emily", "Frank"),
        *("Grace", "Hiroshi", "Imani", "Jack", "Kelly", "Luis", "Megan", "Noah", "Olivia", "Priya", "Quinn", "Rosa"),
        *("Samuel", "Tyler", "Uma", "Victor", "Wendy", "Xiomara", "Zachary", "Renée", "Ángel", "Leilani", "Andrew"),
    ),
    family_names=(
        *("O'Brien", "Smith", "Johnson", "García", "Nguyen", "Washington", "Kealoha", "Miller", "Peña", "McDonald"),
        *("Kowalczyk", "Lee", "Patel", "Anderson", "Jackson", "Muñoz", "Cohen", "Taylor", "Okafor", "Rossi", "Baker"),
        *("Yamamoto", "St. Clair", "Fitzgerald", "Hernández", "Brown", "Clark", "Wójcik", "Singh", "Reyes", "Young"),
    ),
    others=(("李雷", "Lei Li"), ("韩梅梅", "Meimei Han"), ("Zoë Saldívar", "Zoë")),
    towns=(
        "Asheville",
        "Duluth",
        "Savannah",
        "Eugene",
        "Santa Fe",
        "Burlington",
        "Boise",
        "Ithaca",
        "Galveston",
        "Taos",
    ),
    clients=("City of Duluth", "Harper & Sons", "Bayview Schools", "Lakeside Hotel", "Union Station"),
    calendar_name="Holidays",
    custom_days=_custom_days,
    company_day="Founders' day",
    top_title="Chief executive officer",
    senior_title="Senior {}",
    departments=(
        Department("Finance and HR", ("People", "Accounting"), ("HR director", "Payroll specialist", "Accountant")),
        Department("Sales", ("Inside sales", "Customer care"), ("Sales director", "Account executive", "Agent")),
        Department("Operations", ("IT", "Facilities"), ("Operations manager", "IT specialist", "Technician")),
    ),
    trades={
        "health": Trade(
            "Clinic",
            Department("Patient care", ("Front desk", "Nursing", "Therapy"), ("Nurse manager", "Registered nurse")),
            ("Patient care", "Charting", "Meetings"),
            ("Flu season", "New wing", "Records migration"),
        ),
        "retail": Trade(
            "Supply",
            Department("Stores", ("Beach store", "Downtown store"), ("Store manager", "Sales associate", "Cashier")),
            ("Sales floor", "Receiving", "Register"),
            ("Summer sale", "New store", "Inventory"),
        ),
        "logistics": Trade(
            "Logistics",
            Department("Fleet", ("Dispatch", "Drivers", "Dock"), ("Fleet manager", "Driver", "Dispatcher")),
            ("Driving", "Loading", "Dispatch"),
            ("Night express", "New warehouse", "Electric trucks"),
        ),
        "software": Trade(
            "Robotics",
            Department("Engineering", ("Firmware", "Vision", "Test"), ("Engineering manager", "Engineer", "Tester")),
            ("Engineering", "Support", "Meetings"),
            ("Gripper", "Fleet portal", "Certification", "Pilot line"),
        ),
        "books": Trade(
            "Books",
            Department("Shops", ("Main street", "Warehouse"), ("Shop manager", "Bookseller", "Picker")),
            ("Shop", "Receiving", "Events"),
            ("Reading festival", "Online store", "School orders"),
        ),
        "building": Trade(
            "Roofing",
            Department("Crews", ("Crew A", "Crew B", "Estimating"), ("Foreman", "Roofer", "Estimator")),
            ("Roofing", "Travel", "Estimates"),
            ("Storm repairs", "School roof", "Solar roofs"),
        ),
    },
    contracts=(
        Contract("full-time", "Full-time 40 hours", five_days(480), 60),
        Contract("salaried", "Salaried with flexible hours", five_days(480), 15, "flexible"),
        Contract("part-time-30", "Part-time 30 hours", five_days(360), 7),
        Contract("part-time-25", "Part-time 25 hours", five_days(300), 5),
        Contract("part-time-22", "Part-time 22 hours", (week(330, 330, 330, 330),), 4),
        Contract("nine-eighty", "9/80 schedule", (week(540, 540, 540, 540, 480), week(540, 540, 540, 540)), 9),
    ),
    top_contract=Contract("executive", "Executive", five_days(480), 0, approval="none"),
    work_time_policies=(
        {
            "policy_id": "flexible",
            "name": "Flexible hours",
            "norm": [[510, 510, 510, 510, 360, 0, 0]],
            "max_daily_minutes": 720,
            "flex_tracking": True,
        },
    ),
    accounts=(
        {"account_id": "pto", "name": "Paid time off", "kind": "time_off", "unit": "hours"},
        {"account_id": "floating", "name": "Floating holidays", "kind": "time_off", "unit": "days"},
        {"account_id": "care", "name": "Family care", "kind": "time_off", "unit": "days"},
        {"account_id": "comp-time", "name": "Comp time", "kind": "time_off", "unit": "hours"},
        {"account_id": "on-call", "name": "On-call pay", "kind": "allowance", "unit": "hours"},
    ),
    activities=(
        {"activity_id": "away", "name": "Away", "kind": "time_off"},
        {"activity_id": "pto", "name": "Paid time off", "kind": "time_off", "parent_id": "away"},
        {"activity_id": "floating", "name": "Floating holiday", "kind": "time_off", "parent_id": "away"},
        {"activity_id": "comp-time", "name": "Comp time", "kind": "time_off", "parent_id": "away"},
        {"activity_id": "sick", "name": "Sick", "kind": "time_off", "parent_id": "away"},
        {"activity_id": "care", "name": "Family care", "kind": "time_off", "parent_id": "away"},
        {"activity_id": "town-hall", "name": "Town hall", "kind": "non_work"},
        {"activity_id": "on-call", "name": "On call", "kind": "allowance"},
    ),
    general_work="Work",
    time_off_policies=(
        {
            "policy_id": "pto",
            "name": "Paid time off",
            "account_id": "pto",
            "activity_id": "pto",
            "accrual": {"plugin": "monthly", "annual": 7200, "rounding": "difference_on_last"},
        },
        {
            "policy_id": "floating",
            "name": "Floating holidays",
            "account_id": "floating",
            "activity_id": "floating",
            "accrual": {"plugin": "yearly", "annual": 300, "timing": "year_start"},
            "expiration": {"months_after_year_end": 1},
        },
        {
            "policy_id": "care",
            "name": "Family care",
            "account_id": "care",
            "activity_id": "care",
            "accrual": {"plugin": "yearly", "annual": 500, "timing": "year_start"},
            "expiration": {"months_after_year_end": 1},
        },
        {"policy_id": "comp-time", "name": "Comp time", "account_id": "comp-time", "activity_id": "comp-time"},
        {"policy_id": "sick", "name": "Sick leave", "activity_id": "sick"},
        {"policy_id": "unpaid", "name": "Unpaid leave"},
    ),
    allowance_policies=(
        {"policy_id": "on-call", "name": "On-call pay", "account_id": "on-call", "activity_id": "on-call"},
    ),
    leave=Leave(
        holiday="pto",
        extra="floating",
        lieu="comp-time",
        sick="sick",
        care="care",
        unpaid="unpaid",
        summer=(7, 6),
        summer_weeks=(1, 2),
        winter=(3, 9),
        days_a_year=14,
    ),
    rejections=("Too many people out that week", "We take inventory that day"),
    reopenings=("Tuesday is missing hours", "Please fix the project"),
)
