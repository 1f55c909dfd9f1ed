//! The words by which people name columns, in the languages of many collections: of titles, of codes, of persons. A name
//! is compared by its words, without accents and separators: `N° d'inventaire` is `n`, `d`, `inventaire`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What a title is called, the surest first.
const TITLES: [&str; 5] = [
    "title titel titre titulo titolo titol tittel tytul titul cim nimeke naslov objecttitle objekttitel werktitel \
     exhtitle exhibitiontitle headline caption heading",
    "name nom nombre nome naam navn namn nazwa nazev nimi nev naziv label objectname objektname objectnaam \
     preferreddisplayname displayname fullname preflabel",
    "bezeichnung objektbezeichnung benennung gegenstand objekt sachbegriff denomination denominazione denominacion \
     denominacao designation designacion designacao intitule libelle appellation benaming betegnelse benamning \
     oggetto objeto objet object voorwerp przedmiot",
    "scientificname productname commonname vernacularname species taxon especie espece specie soort",
    "subject description beschreibung kurzbeschreibung descripcion descrizione descricao omschrijving beskrivelse \
     beskrivning opis popis kuvaus leiras",
];

/// Words that end the name of a title in languages that join words: `Objektbezeichnung`, `ExhTitle`.
const TITLE_ENDS: &str = "title titel tittel bezeichnung benennung name naam navn";

/// Before "name": what names no object but somebody, or a file.
const NOT_OBJECTS: &str = "last first given family middle sur nick vor nach familien file datei user benutzer artist maker author creator \
     collector donor person artiste artista auteur autor autore createur personne kuenstler kunstler sammler \
     spender hersteller institution field column host";

/// Words that alone say that a code stands here.
const CODES: &str = "id ids identifier identifiant identificador uuid guid uri ark barcode strichcode isbn issn ean gtin accession \
     signature signatur signatura segnatura cote inventar inventario inventaire";

/// Words for numbers and codes, as they stand in two-part names.
const NUMBERS: &str = "number no nr num nummer numero code n numer cislo";

/// What is numbered: the beginnings of words.
const REGISTERS: &str = "id record accession acc zugang eingang catalog catalogo katalog kat cat inventory inventar inventaire \
     inventario inventaris inv object objekt obj item registration registr reg barcode bar specimen museum";

/// Is the word one of these?
fn has(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one == word)
}

/// The words of a name: `ExhibitionID` is `exhibition`, `id`.
pub(super) fn name_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut lower = false;
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)) {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower) {
            words.push(String::new());
        }
        lower = c.is_lowercase() || c.is_numeric();
        if c.is_alphanumeric()
            && let Some(last) = words.last_mut()
        {
            last.extend(c.to_lowercase());
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

pub(super) fn has_word(name: &str, wanted: &[&str]) -> bool {
    let words = name_words(name);
    words.iter().any(|w| wanted.contains(&w.as_str()))
        || wanted.iter().any(|w| w.len() > 3 && name.to_lowercase().ends_with(w))
}

/// A name under which codes stand: `id`, `artist_id`, `ObjectID`, `accession_number`, `Inv.-Nr.`, `barcode`.
pub(super) fn is_id_name(name: &str) -> bool {
    let words = name_words(name);
    let Some(last) = words.last() else { return false };
    has(CODES, last) || is_register_name(name) || (words.len() == 1 && last.len() > 4 && last.ends_with("id"))
}

/// The name of a number in a register of the house: `accession_number`, `Inventarnummer`, `numéro d'inventaire`.
pub(super) fn is_register_name(name: &str) -> bool {
    let words = name_words(name);
    let register = |w: &str| has(REGISTERS, w);
    let number = |w: &str| has(NUMBERS, w);
    let alone = "accession inventar inventaire inventario inventaris barcode";
    let joined = words.concat();
    let compound = NUMBERS
        .split(' ')
        .filter_map(|number| joined.strip_suffix(number))
        .any(|stem| register(stem) || register(stem.trim_end_matches('s')));
    match words.as_slice() {
        [one] => has(alone, one) || (one.len() > 4 && compound),
        [first, .., last] => {
            let (first, last) = (first.as_str(), last.as_str());
            compound || (register(first) && number(last)) || (number(first) && register(last))
        }
        [] => false,
    }
}

/// How surely this is the name of a title, 0 being the surest.
pub(super) fn title_rank(name: &str) -> Option<usize> {
    let words = name_words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return None;
    };
    let joined = words.concat();
    if let Some(rank) = TITLES.iter().position(|names| has(names, &joined)) {
        // Whole names go before names that only contain one.
        return Some(rank);
    }
    let somebody = words.iter().any(|w| has(NOT_OBJECTS, w))
        || TITLE_ENDS
            .split(' ')
            .filter_map(|end| joined.strip_suffix(end))
            .any(|stem| has(NOT_OBJECTS, stem));
    if somebody {
        return None;
    }
    // `Titre de l'œuvre`, `Nombre del objeto`, `Objektbezeichnung`, `work title`.
    let one_of = |word: &str| TITLES[..3].iter().position(|names| has(names, word));
    let inner = if words.len() > 1 {
        one_of(first).or_else(|| one_of(last))
    } else {
        None
    };
    let ends = TITLE_ENDS.split(' ').any(|end| joined.ends_with(end)).then_some(2);
    inner.or(ends).map(|rank| TITLES.len() + rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_codes_in_several_languages() {
        for name in [
            "id",
            "artist_id",
            "ObjectID",
            "accession_number",
            "constituentid",
            "barcode",
            "Accession No.",
            "Inventar",
            "Inventarnummer",
            "Inventar-Nr.",
            "Inv.-Nr.",
            "InvNr",
            "N° d'inventaire",
            "Numéro d'inventaire",
            "número de inventario",
            "N. inventario",
            "inventarisnummer",
            "Objektnummer",
            "Kat.-Nr.",
            "Zugangsnummer",
            "catalogNumber",
            "Signatur",
            "cote",
            "Registration number",
        ] {
            assert!(is_id_name(name), "{name}");
        }
        for name in [
            "title",
            "Bezeichnung",
            "Number of pieces",
            "Nr",
            "artist",
            "postcode",
            "country code",
            "Objekt",
            "Museum",
            "paid by",
            "category",
            "Katalogtext",
            "inventory notes",
        ] {
            assert!(!is_id_name(name), "{name}");
        }
    }

    #[test]
    fn names_of_titles_in_several_languages() {
        for name in [
            "title",
            "Titel",
            "Titre",
            "Título",
            "Titolo",
            "ExhTitle",
            "Bezeichnung",
            "Objektbezeichnung",
            "Dénomination",
            "Titre de l'œuvre",
            "Nombre del objeto",
            "Nom",
            "object name",
            "Benaming",
            "work_title",
            "Název",
            "locationName",
        ] {
            assert!(title_rank(name).is_some(), "{name}");
        }
        for name in [
            "last name",
            "LastName",
            "Vorname",
            "Nachname",
            "fileName",
            "Dateiname",
            "artist name",
            "Inventar",
            "medium",
            "Material",
            "datiert",
            "username",
            "timestamp",
        ] {
            assert_eq!(title_rank(name), None, "{name}");
        }
        assert!(title_rank("Titel") < title_rank("Bezeichnung"));
        assert!(title_rank("name") < title_rank("Name des Orts"));
    }
}
