//! An account with as many API users as it may have.

use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::api_users::{
    API_USERS_MAX, ApiUserListing, ApiUserSort, ApiUserStatus, ApiUsersCommand, ApiUsersRefusal,
};
use claviger_control::protocol::refusal::Refusal;

use super::{ask, changed, create, create_command, delete, edit, form, page, refusal};
use crate::world::{Browser, World};

/// Opens an account with as many users as it may have, some of them deleted. Each has the networks
/// of the first.
fn full() -> (World, Browser) {
    let (world, owner) = World::open();
    create(&world, owner, r#"{"networks":"203.0.113.0/24"}"#);
    let more = API_USERS_MAX - 1;
    let fill = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})
        INSERT INTO api_user SELECT substr(id, 1, 8) || printf('%010d', i), 'app' || i || '@example.com',
            iif(i % 10, state, 'deleted'), secret_version, user_group, own_data_only, zone, limits,
            iif(i % 10, NULL, created_at_ms), iif(i % 10, NULL, 'active'), created_at_ms + i % 100, created_by,
            changed_at_ms + i % 100, changed_by, i, 1000 + i FROM n, api_user"
    );
    world.sql.apply(&[Statement::new(fill)]).unwrap();
    assert_eq!(world.count("api_user"), i64::from(API_USERS_MAX));
    (world, owner)
}

/// Deleted users count: they keep their rows and names.
#[test]
fn a_full_account_takes_no_further_user_until_a_row_is_gone() {
    let (world, owner) = full();
    let (_, command) = create_command(&world, r#"{"name":"next@example.com"}"#);
    let form = form(r#"{"name":"next@example.com"}"#);
    let check = ApiUsersCommand::CheckCreation { form, idempotency_key: "i".into() };
    let too_many = Refusal::ApiUsers(ApiUsersRefusal::TooMany { max: API_USERS_MAX });
    for command in [check, command.clone()] {
        assert_eq!(refusal(&world, owner, command), too_many);
    }
    // The limit is about creations alone.
    let listing = ApiUserListing { q: Some("app7@".into()), ..ApiUserListing::default() };
    let user = page(&world, owner, listing).users.remove(0);
    let (user, ..) = changed(&world, owner, edit(&user, r#"{"group":"normal"}"#, None));
    let (gone, ..) = changed(&world, owner, delete(&user));
    assert_eq!(refusal(&world, owner, command.clone()), too_many);
    let restore = ApiUsersCommand::Restore { id: gone.id, expected: gone.revision };
    changed(&world, owner, restore);
    let remove = "DELETE FROM api_user WHERE name = 'app10@example.com'";
    world.sql.apply(&[Statement::new(remove)]).unwrap();
    assert_eq!(changed(&world, owner, command).0.name.as_str(), "next@example.com");
}

/// The plans of the statements that a listing sends, without those of other tables.
fn plans(world: &World, owner: Browser, listing: ApiUserListing) -> Vec<(String, String)> {
    world.sql.overhear();
    ask(world, owner, ApiUsersCommand::List(listing));
    let heard = world.sql.overheard();
    let of_users = heard.iter().filter(|statement| statement.text().contains("FROM api_user"));
    of_users
        .map(|statement| (statement.text().to_owned(), world.sql.plan(statement).join("; ")))
        .collect()
}

/// A page is read in its order, from its cursor on. One pass over the table counts the total, and
/// looks up no row.
#[test]
fn no_page_is_sorted_and_a_later_one_begins_at_its_cursor() {
    let (world, owner) = full();
    for analysed in [false, true] {
        if analysed {
            world.sql.apply(&[Statement::new("ANALYZE")]).unwrap();
        }
        for sort in ApiUserSort::ALL {
            let index = match sort {
                ApiUserSort::Created | ApiUserSort::CreatedDown => "api_user_by_created",
                ApiUserSort::Name | ApiUserSort::NameDown => "api_user_by_name",
                ApiUserSort::Changed | ApiUserSort::ChangedDown => "api_user_by_changed",
                ApiUserSort::Used | ApiUserSort::UsedDown => "api_user_by_used",
            };
            for statuses in [Vec::new(), vec![ApiUserStatus::Active, ApiUserStatus::Deleted]] {
                let listing = ApiUserListing { sort, statuses, ..ApiUserListing::default() };
                let first = page(&world, owner, listing.clone());
                let next = ApiUserListing { cursor: first.next, ..listing.clone() };
                for (listing, step) in [(listing, "SCAN api_user"), (next, "SEARCH api_user")] {
                    let plans = plans(&world, owner, listing);
                    let [(_, count), (text, read)] = plans.as_slice() else { panic!("{plans:?}") };
                    assert_eq!(count, "SCAN api_user", "{sort:?}");
                    assert!(text.contains("ORDER BY"), "{text}");
                    assert!(read.contains(&format!("{step} USING INDEX {index}")), "{read}");
                    assert!(!read.contains("TEMP B-TREE"), "{sort:?}: {read}");
                }
            }
        }
    }
}

/// A search looks at the names in their index, and reads the rows that it finds.
#[test]
fn a_search_reads_the_rows_of_names_that_it_finds() {
    let (world, owner) = full();
    for sort in ApiUserSort::ALL {
        let listing = ApiUserListing { sort, q: Some("77 example".into()), ..Default::default() };
        let plans = plans(&world, owner, listing.clone());
        assert_eq!(plans.len(), 2, "{plans:?}");
        for (_, plan) in plans {
            let names = "SCAN api_user USING COVERING INDEX api_user_by_name";
            assert!(plan.contains(names), "{sort:?}: {plan}");
            assert!(plan.contains("SEARCH api_user USING PRIMARY KEY (id=?)"), "{sort:?}: {plan}");
        }
        let found = page(&world, owner, listing);
        assert!(found.users.iter().all(|user| user.name.as_str().contains("77")));
        let numbers = (1..API_USERS_MAX).filter(|n| n % 10 > 0 && n.to_string().contains("77"));
        assert_eq!(found.total as usize, numbers.count(), "{sort:?}");
    }
    let invisible = ApiUserListing { q: Some("\u{200b}".into()), ..Default::default() };
    assert_eq!(page(&world, owner, invisible).total, 0, "as in the list of keys");
}
