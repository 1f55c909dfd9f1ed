//! The sets of DINA Collections: any order of files, a rehearsal that says what will be, nothing twice, nothing dropped, what
//! leads to nothing or to several told by row and field.

use vitrine::both;
use vitrine::kernel::testing::tar;

use super::*;

both!(
    the_sets_of_dina_come_in_together,
    sets_in_an_archive_and_files_that_are_none
);

#[expect(clippy::needless_pass_by_value, reason = "rows are written where they are used")]
fn row(data: Value) -> Value {
    json!({ "migrationData": data, "sourceData": null, "legacyData": null })
}

/// Invented sets, in an order in which nothing is there yet that is led to.
fn sets() -> Vec<(&'static str, Value)> {
    let name = |id: &str, name: &str, rank: &str, to: &str| {
        row(
            json!({ "id": id, "name": name, "rank": rank, "type": "scientific", "language": null, "acceptedToTaxonId": to, "rubinNumber": "1234567" }),
        )
    };
    let place = |id: &str, name: &str, group: &str, above: Value| {
        row(
            json!({ "id": id, "name": name, "group": group, "isRoot": if above.is_null() { "True" } else { "False" }, "parentId": above }),
        )
    };
    let specimens = json!([
        {
            "migrationData": {
                "publishRecord": "True", "remarks": "A very old bear", "unheardOf": "kept",
                "identifiers": [{ "identifierType_key": "catalog-no", "value": "700001" }, { "identifierType_key": "nobody-knows", "value": "X 1" }],
                "collectingInformation": {
                    "collectedByAgent": "Bergh, Ada", "date_year": "1931", "date_month": "2", "date_day": "31", "isDeathDate": "False",
                    "locationInformation_planet": "Earth", "locationInformation_continentOcean": "Europe",
                    "locationInformation_country": "Sweden", "locationInformation_province": "Gotland",
                    "locationInformation_localityV": "vid ån", "locationInformation_latitude": "57.5", "locationInformation_longitude": "218",
                    "locationInformation_maxElevationhInMeters": "12",
                },
                "taxonInformation": { "curatorialTaxonName": "Ursus fictus", "curatorialTaxonNameRank": "species", "typeStatus_key": null,
                    "customTaxonNames": [{ "customTaxonNameType_key": "old", "value": "Ursus olim" }] },
                "determinations": { "taxonNameI": "Ursus sp.", "determinedByAgent_textI": "Doe, Jo", "date_year": "1999", "date_month": "5" },
                "physicalObjects": [
                    { "preparationType_key": "skull", "room": "Cellar", "cabinet": "B 2", "shelf": "Top", "remarks": "broken" },
                    { "preparationType_key": "skin", "room": "Attic", "shelf": null },
                ],
                "recordHistoryEvents": [{ "activity": "New card", "date_timeStamp": "1950-01-01 00:00:00", "recordedBy_textI": "N. N." }],
            },
            "sourceData": { "Objects": { "No": "700001", "Odd": ["a", { "b": null }] } }, "legacyData": { "left.over": "this", "empty": null },
        },
        { "migrationData": { "remarks": "It has no number" }, "sourceData": null, "legacyData": { "only": null } },
        { "nothing": "of the kind" },
    ]);
    let agent = |full: &str, given: &str, family: &str, born: Value| {
        row(
            json!({ "agentType": "person", "fullName": full, "givenName": given, "familyName": family, "birthDate.year": born, "email": "a@example.org", "role.name": null }),
        )
    };
    vec![
        ("a.specimens.json", specimens),
        (
            "b.taxonNames.json",
            json!([
                name("1", "Ursidae", "family", "2"),
                name("2", "Ursus fictus", "species", "1"),
                name("3", "Lost", "genus", "99"),
                row(
                    json!({ "id": "4", "name": "hittebjörn", "type": "vernacular", "language": "sv", "vernacularToTaxonId": "1" })
                )
            ]),
        ),
        (
            "c.taxa.json",
            json!([
                row(json!({ "id": "1", "isRoot": "False", "parentId": "2" })),
                row(json!({ "id": "2", "isRoot": "True", "parentId": null }))
            ]),
        ),
        (
            "d.storageLocations.json",
            json!([
                place("4", "Top", "shelf", json!("3")),
                place("3", "B 2", "cabinet", json!("2")),
                place("2", "Cellar", "room", json!("1")),
                place("1", "House", "institution", json!(null))
            ]),
        ),
        (
            "e.preparationTypes.json",
            json!([{ "key": "skull", "name": { "en": "skull", "sv": "skalle" }, "category": "skeleton" }]),
        ),
        (
            "f.identifierTypes.json",
            json!([{ "key": "catalog-no", "name": "catalog no." }]),
        ),
        (
            "g.agents.json",
            json!([
                agent("Ada Bergh", "Ada", "Bergh", json!("1850")),
                agent("Jo Doe", "Jo", "Doe", json!(null)),
                agent("Jo Doe", "Jo", "Doe", json!("1900"))
            ]),
        ),
        (
            "h.localities.json",
            json!([
                place("40", "Gotland", "province", json!("30")),
                place("30", "Sweden", "country", json!("20")),
                place("20", "Europe", "continent-ocean", json!("10")),
                place("10", "Earth", "planet", json!(null)),
                place("50", "Nowhere", "country", json!("77"))
            ]),
        ),
    ]
}

impl Place {
    async fn bring(&self, name: &str, content: &[u8]) -> String {
        let (status, body) = self
            .ask("POST", &format!("/api/uploads?name={name}"), content.to_vec())
            .await;
        let draft: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 201, "{draft}");
        draft["id"].as_str().unwrap().to_owned()
    }

    /// All imports of the sets, in the order they ran.
    async fn sets(&self, drafts: &[String], dry_run: bool) -> Vec<Value> {
        let body = json!({ "drafts": drafts, "dry_run": dry_run }).to_string();
        let (status, begun) = self.json("POST", "/api/dina-imports", body).await;
        assert_eq!(status, 202, "{begun}");
        self.worker.drain().await.unwrap();
        let mut found = Vec::new();
        let mut next = begun["job"].as_str().map(str::to_owned);
        while let Some(job) = next {
            let view = self.look(&job).await;
            assert_eq!(view["state"], "done", "{view}");
            next = view["next"].as_str().map(str::to_owned);
            found.push(view);
        }
        assert_eq!(found.len(), begun["sets"].as_array().unwrap().len());
        found
    }
}

fn summary(views: &[Value]) -> Vec<(String, [i64; 4])> {
    let count = |view: &Value| ["created", "updated", "unchanged", "refused"].map(|name| view[name].as_i64().unwrap());
    views
        .iter()
        .map(|view| (view["set"].as_str().unwrap().to_owned(), count(view)))
        .collect()
}

async fn the_sets_of_dina_come_in_together(db: TestDb) {
    let place = Place::new(&db).await;
    let mut drafts = Vec::new();
    for (name, set) in sets() {
        drafts.push(place.bring(name, set.to_string().as_bytes()).await);
    }
    let created = |set: &str, n: i64, refused: i64| (set.to_owned(), [n, 0, 0, refused]);
    let want = [
        created("identifierTypes", 1, 0),
        created("preparationTypes", 1, 0),
        created("localities", 5, 0),
        created("storageLocations", 4, 0),
        created("agents", 3, 0),
        created("taxa", 2, 0),
        created("taxonNames", 4, 0),
        created("physicalObjects", 2, 0),
        created("specimens", 2, 1),
    ];
    let dry = place.sets(&drafts, true).await;
    assert_eq!(summary(&dry), want);
    assert_eq!(place.records().await, 0, "a rehearsal leaves nothing");
    let notes = dry.last().unwrap()["notes"].to_string();
    assert!(
        notes.contains("objects: 2 found.") && notes.contains("collecting.place: 1 found."),
        "what the other files bring is counted upon: {notes}"
    );
    let done = place.sets(&drafts, false).await;
    assert_eq!(summary(&done), want, "the rehearsal said what happens");
    let again = place.sets(&drafts, false).await;
    for ((set, counts), (_, before)) in summary(&again).iter().zip(&want) {
        assert_eq!(
            *counts,
            [0, 0, before[0], before[3]],
            "{set}: nothing is new the second time"
        );
    }
    what_was_found_is_told_and_kept(&place, &done).await;
    // One set by itself finds what is there, and changes nothing.
    let alone = place.sets(&drafts[..1], false).await;
    assert_eq!(
        summary(&alone),
        [
            ("physicalObjects".to_owned(), [0, 0, 2, 0]),
            ("specimens".to_owned(), [0, 0, 2, 1])
        ]
    );
    let taxa = place.sets(&drafts[2..3], false).await;
    assert_eq!(
        summary(&taxa),
        [("taxa".to_owned(), [0, 0, 2, 0])],
        "without the names they keep theirs"
    );
    // On the pages.
    let (status, page) = place.ask("GET", "/import", Vec::new()).await;
    let page = String::from_utf8(page).unwrap();
    assert!(status == 200 && page.contains("action=\"/import-sets\""), "{page}");
    let job = done[0]["job"].as_str().unwrap();
    let (status, page) = place.ask("GET", &format!("/import-sets/{job}"), Vec::new()).await;
    let page = String::from_utf8(page).unwrap();
    assert!(
        status == 200 && page.contains("storageLocations") && page.contains("migrationData"),
        "{page}"
    );
    place.close().await;
}

/// What was found, what was not, by set, row and field.
async fn what_was_found_is_told_and_kept(place: &Place, done: &[Value]) {
    let specimens = done.last().unwrap();
    let notes = specimens["notes"].to_string();
    for words in [
        "collecting.place: 1 found.",
        "identifiers.type: 1 found, 1 lead to nothing",
        "determinations.determinedBy: 0 found, 1 have several answers",
        "Row 1, determinations.determinedBy: \\\"Doe, Jo\\\" has several answers",
        "objects: 2 found.",
        "no field; it is kept",
    ] {
        assert!(notes.contains(words), "{words}: {notes}");
    }
    assert_eq!(specimens["refusals"][0]["row"], 3, "{specimens}");
    let export = place.export("type=specimen&format=jsonl").await;
    let bear: Value = serde_json::from_slice(export.split(|b| *b == b'\n').next().unwrap()).unwrap();
    let collecting = &bear["collecting"][0];
    assert_eq!(bear["catalogNumber"], "700001");
    assert_eq!(
        (&collecting["dateText"], &collecting["date"]),
        (&json!("1931-2-31"), &Value::Null)
    );
    assert_eq!(
        (&collecting["decimalLatitude"], &collecting["maximumElevationInMeters"]),
        (&json!(57.5), &json!(12))
    );
    assert_eq!(bear["identifiers"][1]["typeText"], "nobody-knows");
    assert!(
        bear["taxon"].is_string() && collecting["place"].is_string() && bear["objects"][1].is_string(),
        "{bear}"
    );
    let kept = bear["unmapped"].as_str().unwrap();
    assert!(kept.contains("unheardOf") && kept.contains("218"), "{kept}");
    assert!(
        bear["sourceData"].as_str().unwrap().contains("\"Odd\"")
            && bear["legacyData"].as_str().unwrap().contains("left.over")
    );
    let taxa = String::from_utf8(place.export("type=taxon&format=jsonl").await).unwrap();
    assert!(
        taxa.contains("\"scientificName\":\"Ursidae\"") && taxa.contains("\"taxonRank\":\"species\""),
        "{taxa}"
    );
    let names = String::from_utf8(place.export("type=taxon-name&format=jsonl").await).unwrap();
    assert!(names.contains("\"taxonText\":\"acceptedTo 99\""), "{names}");
    let objects = String::from_utf8(place.export("type=physical-object&format=jsonl").await).unwrap();
    assert!(
        objects.contains("\"storageText\":\"Attic\"") && objects.contains("\"preparationText\":\"skin\""),
        "{objects}"
    );
    // The row as it was brought, of a specimen and of what stands within it.
    for (type_name, words) in [
        ("specimen", "migrationData"),
        ("physical-object", "preparationType_key"),
    ] {
        let (_, list) = place
            .json("GET", &format!("/api/records?type={type_name}&limit=1"), String::new())
            .await;
        let id = list["items"][0]["id"].as_str().unwrap();
        let (status, source) = place
            .json("GET", &format!("/api/records/{id}/source"), String::new())
            .await;
        assert!(
            status == 200 && source["values"].to_string().contains(words),
            "{source}"
        );
    }
}

async fn sets_in_an_archive_and_files_that_are_none(db: TestDb) {
    let place = Place::new(&db).await;
    let begin = async |drafts: &[String]| {
        let body = json!({ "drafts": drafts }).to_string();
        place.json("POST", "/api/dina-imports", body).await
    };
    let other = place.bring("objects.csv", b"a,b\n1,2\n").await;
    let (status, problem) = begin(std::slice::from_ref(&other)).await;
    assert!(status == 422 || status == 400, "{problem}");
    assert!(problem.to_string().contains("objects.csv is no set"), "{problem}");
    assert_ne!(begin(&[]).await.0, 202);
    let one = place.bring("x.agents.json", b"[]").await;
    let two = place.bring("y.agents.json", b"[ ]").await;
    let (status, problem) = begin(&[one.clone(), two]).await;
    assert!(
        status != 202 && problem.to_string().contains("both the set"),
        "{problem}"
    );
    // A set that has no rows is no fault.
    assert_eq!(
        summary(&place.sets(&[one], false).await),
        [("agents".to_owned(), [0; 4])]
    );
    // A set that breaks off stops those after it, and says where.
    let broken = place
        .bring(
            "z.localities.json",
            br#"[{"migrationData":{"id":"1","name":"A","group":"planet","parentId":null}},{"mig"#,
        )
        .await;
    let names = place.bring("z.taxonNames.json", b"[]").await;
    let (status, begun) = begin(&[broken, names]).await;
    assert_eq!(status, 202, "{begun}");
    place.worker.drain().await.unwrap();
    let job = begun["job"].as_str().unwrap();
    let view = place.look(job).await;
    assert!(
        view["state"] == "failed" && view["error"].as_str().unwrap().contains("z.localities.json"),
        "{view}"
    );
    let (status, page) = place.ask("GET", &format!("/import-sets/{job}"), Vec::new()).await;
    assert!(status == 200 && String::from_utf8_lossy(&page).contains("role=\"alert\""));
    // Packed together.
    let files: Vec<_> = sets().into_iter().map(|(name, set)| (name, set.to_string())).collect();
    let archive = place.bring("export.tar.gz", &gzip(&tar(&files))).await;
    let views = place.sets(&[archive], false).await;
    assert_eq!(views.last().unwrap()["created"], 2, "{views:?}");
    place.close().await;
}
