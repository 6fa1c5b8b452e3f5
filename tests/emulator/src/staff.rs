//! The publisher's own people, whom the console's application gives roles.

use uuid::Uuid;

use crate::people::Person;

/// A person of the publisher's tenant, and the app role that they have at the console.
pub(crate) struct StaffMember {
    pub(crate) person: Person,
    pub(crate) role: Option<&'static str>,
}

/// One for each role, and one without.
pub(crate) fn staff(tenant: Uuid) -> Vec<StaffMember> {
    [
        ("Vera Viewer", "vera@fabrikam.example", Some("Viewer")),
        ("Olof Operator", "olof@fabrikam.example", Some("Operator")),
        ("Ada Admin", "ada@fabrikam.example", Some("Admin")),
        ("Nils Norole", "nils@fabrikam.example", None),
    ]
    .into_iter()
    .zip(21..)
    .map(|((name, email, role), number)| StaffMember {
        person: Person::new(name, email, number, tenant),
        role,
    })
    .collect()
}
