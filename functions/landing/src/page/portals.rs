//! Microsoft's pages that ours send people to. Each opens for the person who is signed in there.

/// Where a purchase that was made in Azure is managed.
pub(crate) const AZURE: &str = "https://portal.azure.com/";

/// Where every other purchase is managed.
pub(crate) const ADMIN_CENTER: &str = "https://admin.microsoft.com/";

/// Where offers are bought.
pub(crate) const MARKETPLACE: &str = "https://marketplace.microsoft.com/";
