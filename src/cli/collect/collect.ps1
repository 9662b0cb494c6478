<#
Collects from this server what rdptriage needs to say why Remote Desktop is broken.

It only reads. It writes nothing outside of its output folder, changes no setting, starts and stops no service, needs no module, and
sends nothing anywhere. To read the registry as it stands it makes a shadow copy of the system volume where there is none yet, and
removes it again; -NoShadowCopy does without.

Run it in an elevated PowerShell of the server; as SYSTEM (Azure's Run Command does so) it sees a little more:

    powershell -NoProfile -ExecutionPolicy Bypass -File collect.ps1

It works on PowerShell 2 and later; without .NET 4.5 (Server 2008 R2 as it came) it leaves a folder instead of a zip. A step that
fails is written down in manifest.json, and the next one follows.

    -OutputFolder PATH   where to put the collection; another drive where the system's is full [default: beside this script]
    -IncludeKeyFiles     the machine's private key files too. They are secrets, and hardly ever needed: without it only their
                         names, sizes, times and permissions are taken
    -NoSecurityHive      without the SECURITY hive, which tells who may log on, and holds secrets of the machine as well
    -NoShadowCopy        the registry with "reg save"
#>
param(
    [string]$OutputFolder = '',
    [switch]$IncludeKeyFiles,
    [switch]$NoSecurityHive,
    [switch]$NoShadowCopy
)

# Every log that a rule of rdptriage asks for.
$channels = @(
@CHANNELS@
)

$ErrorActionPreference = 'Continue'
$begun = [DateTime]::UtcNow

if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') {
    Write-Warning 'PowerShell is restricted here (constrained language mode): collect by hand, as the README of rdptriage shows.'
    exit 2
}

# ---------------------------------------------------------------------------------------------------- what the machine calls things

$invariant = [Globalization.CultureInfo]::InvariantCulture
$windows = $env:SystemRoot
$tools = Join-Path $windows 'System32'
if (Test-Path (Join-Path $windows 'Sysnative')) {
    # A 32-bit PowerShell: what it calls System32 is another folder.
    $tools = Join-Path $windows 'Sysnative'
}
$programData = $env:ProgramData
if (-not $programData) { $programData = $env:ALLUSERSPROFILE }
$crypto = Join-Path $programData 'Microsoft\Crypto'

function Format-Utc([DateTime]$time) {
    return $time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", $invariant)
}

# -------------------------------------------------------------------------------------------------------------------------- as JSON
# ConvertTo-Json is not in PowerShell 2. All of it is ASCII, whatever the language.

function Format-Text($text) {
    if ($null -eq $text) { return 'null' }
    $characters = ([string]$text).ToCharArray()
    $builder = New-Object Text.StringBuilder
    [void]$builder.Append('"')
    for ($index = 0; $index -lt $characters.Length; $index++) {
        $character = $characters[$index]
        $number = [int]$character
        if ($number -eq 34 -or $number -eq 92) {
            [void]$builder.Append('\').Append($character)
        } elseif ($number -ge 32 -and $number -le 126) {
            [void]$builder.Append($character)
        } else {
            if ([char]::IsHighSurrogate($character)) {
                $paired = ($index + 1 -lt $characters.Length) -and [char]::IsLowSurrogate($characters[$index + 1])
            } elseif ([char]::IsLowSurrogate($character)) {
                $paired = ($index -gt 0) -and [char]::IsHighSurrogate($characters[$index - 1])
            } else {
                $paired = $true
            }
            if (-not $paired) { $number = 0xFFFD }
            [void]$builder.Append('\u').Append($number.ToString('x4', $invariant))
        }
    }
    [void]$builder.Append('"')
    return $builder.ToString()
}

function Format-Number($number) {
    if ($null -eq $number) { return 'null' }
    return ([int64]$number).ToString($invariant)
}

function Format-Bool($value) {
    if ($value) { return 'true' }
    return 'false'
}

function Format-Object([string[]]$members) { return '{' + [string]::Join(',', $members) + '}' }

function Join-Json($items) { return "[`n" + [string]::Join(",`n", [string[]]@($items)) + "`n]" }

# ------------------------------------------------------------------------------------------------------------------- what was done

$steps = New-Object Collections.ArrayList
$failures = 0

# Kind and of say what the step was about, in words that rdptriage knows; failed is null where it did not fail.
function Add-Step([string]$kind, [string]$of, [string]$command, $code, $failed, [bool]$expected = $false) {
    if ($null -ne $failed -and -not $expected) {
        $script:failures++
        Write-Host "  failed: $kind $of - $failed"
    }
    [void]$steps.Add((Format-Object @(
        ('"kind":' + (Format-Text $kind)),
        ('"of":' + (Format-Text $of)),
        ('"command":' + (Format-Text $command)),
        ('"exit":' + (Format-Number $code)),
        ('"failed":' + (Format-Text $failed))
    )))
}

function Get-Reason($failure) {
    $exception = $failure.Exception
    if ($null -eq $exception) { return "$failure" }
    return $exception.GetBaseException().Message
}

# Runs a program of Windows; what it prints is kept in a file where one is named. True where it says that all went well.
function Invoke-Tool([string]$kind, [string]$of, [string]$program, [string[]]$arguments, [string]$printedTo, [int]$highest = 0) {
    $command = $program + ' ' + [string]::Join(' ', $arguments)
    $code = $null
    try {
        $global:LASTEXITCODE = 0
        $path = Join-Path $tools $program
        $lines = @(& $path $arguments 2>&1 | ForEach-Object { "$_" })
        $code = $LASTEXITCODE
        # wevtutil says so of a log that this Windows does not have.
        $absent = $kind -eq 'log' -and $code -eq 15007
        $text = [string]::Join("`r`n", [string[]]$lines)
        if ($printedTo) { [IO.File]::WriteAllText($printedTo, $text + "`r`n", [Text.Encoding]::UTF8) }
        if ($code -lt 0 -or $code -gt $highest) {
            $text = $text.Trim()
            if (-not $text) { $text = 'it says nothing' }
            if ($text.Length -gt 500) { $text = $text.Substring(0, 500) }
            Add-Step $kind $of $command $code $text $absent
            return $false
        }
    } catch {
        Add-Step $kind $of $command $code (Get-Reason $_)
        return $false
    }
    Add-Step $kind $of $command $code $null
    return $true
}

# ----------------------------------------------------------------------------------------------------------------------- where to

if (-not $OutputFolder) {
    if ($MyInvocation.MyCommand.Path) {
        $OutputFolder = Split-Path -Parent $MyInvocation.MyCommand.Path
    } else {
        $OutputFolder = (Get-Location -PSProvider FileSystem).ProviderPath
    }
}
$OutputFolder = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($OutputFolder)
$name = 'rdptriage-' + $env:COMPUTERNAME + '-' + $begun.ToString("yyyyMMdd'T'HHmmss'Z'", $invariant)
$root = Join-Path $OutputFolder $name

# A server whose disk is full must not be filled further: the copies, and the zip of them.
$needed = 300 * 1048576
foreach ($pattern in @('winevt\Logs\*.evtx', 'config\SYSTEM', 'config\SOFTWARE', 'config\SECURITY')) {
    foreach ($found in @(Get-ChildItem -Path (Join-Path $tools $pattern) -Force -ErrorAction SilentlyContinue)) {
        $stem = $found.Name -replace '\.evtx$', '' -replace '%4', '/'
        if ($found.Extension -ne '.evtx' -or $channels -contains $stem) { $needed += 1.5 * $found.Length }
    }
}
$free = $null
try {
    $free = (New-Object IO.DriveInfo ([IO.Path]::GetPathRoot($OutputFolder))).AvailableFreeSpace
} catch {
    Write-Verbose "the space left is not known: $_"
}
if ($null -ne $free -and $free -lt $needed) {
    $megabytes = [Math]::Ceiling($needed / 1048576)
    Write-Warning "Some $megabytes MB are needed, and there is less left on the drive of $OutputFolder. Name another: -OutputFolder D:\"
    exit 2
}
foreach ($folder in @('logs', 'registry', 'keys', 'stores', 'system')) {
    [void][IO.Directory]::CreateDirectory((Join-Path $root $folder))
}
Write-Host "Collecting into $root"

$identity = [Security.Principal.WindowsIdentity]::GetCurrent()
$elevated = (New-Object Security.Principal.WindowsPrincipal $identity).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
if (-not $elevated) {
    Write-Warning 'This PowerShell is not elevated: much will be refused. Run it as administrator.'
}

# --------------------------------------------------------------------------------------------------------------------- event logs

Write-Host 'Event logs'
foreach ($channel in $channels) {
    $file = Join-Path $root ('logs\' + ($channel -replace '/', '%4') + '.evtx')
    [void](Invoke-Tool 'log' $channel 'wevtutil.exe' @('epl', $channel, $file, '/ow:true') '')
}

# ----------------------------------------------------------------------------------------------------------------------- registry

$hives = @('SYSTEM', 'SOFTWARE')
if (-not $NoSecurityHive) { $hives += 'SECURITY' }

# A shadow copy of the system volume, seen through a link; null where none can be had. Where there are others none is made, since an
# old one could have to go for it.
function New-Shadow([string]$link) {
    $drive = $env:SystemDrive + '\'
    $shadow = $null
    try {
        if (@(Get-WmiObject Win32_ShadowCopy -ErrorAction Stop).Count -gt 0) {
            Add-Step 'shadow' $drive 'Win32_ShadowCopy.Create' $null 'there are shadow copies, and making another could push one of them out'
            return $null
        }
        $made = ([wmiclass]'\\.\root\cimv2:Win32_ShadowCopy').Create($drive, 'ClientAccessible')
        if ($made.ReturnValue -ne 0) {
            Add-Step 'shadow' $drive 'Win32_ShadowCopy.Create' $made.ReturnValue 'it was refused'
            return $null
        }
        $shadow = Get-WmiObject Win32_ShadowCopy -ErrorAction Stop | Where-Object { $_.ID -eq $made.ShadowID }
        $target = $shadow.DeviceObject + '\'
        if (Invoke-Tool 'shadow' $drive 'cmd.exe' @('/d', '/c', 'mklink', '/d', $link, $target) '') { return $shadow }
    } catch {
        Add-Step 'shadow' $drive 'Win32_ShadowCopy.Create' $null (Get-Reason $_)
    }
    Remove-Shadow $shadow $link
    return $null
}

function Remove-Shadow($shadow, [string]$link) {
    try {
        # Of the link alone: nothing below it is touched.
        if (Test-Path -LiteralPath $link) { [IO.Directory]::Delete($link) }
        if ($null -ne $shadow) { $shadow.Delete() }
    } catch {
        Add-Step 'shadow' $env:SystemDrive 'remove' $null (Get-Reason $_)
    }
}

function Save-HiveOf([string]$hive) {
    $file = Join-Path $root ('registry\' + $hive)
    [void](Invoke-Tool 'hive' $hive 'reg.exe' @('save', ('HKLM\' + $hive), $file, '/y') '')
}

Write-Host 'Registry'
$link = Join-Path $OutputFolder ($name + '-shadow')
$below = $windows.Substring([IO.Path]::GetPathRoot($windows).Length)
$shadow = $null
if (-not $NoShadowCopy) { $shadow = New-Shadow $link }
foreach ($hive in $hives) {
    $copied = $false
    if ($null -ne $shadow) {
        try {
            foreach ($ending in @('', '.LOG1', '.LOG2')) {
                $from = Join-Path $link ($below + '\System32\config\' + $hive + $ending)
                $to = Join-Path $root ('registry\' + $hive + $ending)
                if ($ending -eq '' -or (Test-Path -LiteralPath $from)) {
                    [IO.File]::Copy($from, $to, $true)
                    [IO.File]::SetAttributes($to, [IO.FileAttributes]::Normal)
                }
            }
            Add-Step 'hive' $hive 'copy from a shadow copy' 0 $null
            $copied = $true
        } catch {
            Add-Step 'shadow' $hive 'copy from a shadow copy' $null (Get-Reason $_)
            foreach ($ending in @('', '.LOG1', '.LOG2')) {
                [IO.File]::Delete((Join-Path $root ('registry\' + $hive + $ending)))
            }
        }
    }
    if (-not $copied) { Save-HiveOf $hive }
}
if ($null -ne $shadow) { Remove-Shadow $shadow $link }

# --------------------------------------------------------------------------------------------------------------- folders of keys
# Names, sizes, times and permissions. The right to back files up shows those of files that administrators may not open; .NET knows
# how to use it, in a class that is not meant for others, so that it may be refused.

$privilege = $null
$privileges = [Type]::GetType('System.Security.AccessControl.Privilege')
if ($null -ne $privileges) {
    try {
        $privilege = [Activator]::CreateInstance($privileges, @('SeBackupPrivilege'))
        [void]$privileges.GetMethod('Enable').Invoke($privilege, $null)
    } catch {
        $privilege = $null
        Add-Step 'privilege' 'SeBackupPrivilege' 'Enable' $null (Get-Reason $_)
    }
}

# The permissions of so many files of a folder at most are read: a folder may hold a hundred thousand.
$mostRead = 2000
$sections = [Security.AccessControl.AccessControlSections]'Owner,Group,Access'

# "sddl":..., "sddl_failed":... of a file or folder.
function Format-Permissions([string]$path, [bool]$isFolder) {
    $sddl = $null
    $failed = $null
    try {
        if ($PSVersionTable.PSVersion.Major -gt 5) {
            $security = Get-Acl -LiteralPath $path -ErrorAction Stop
        } elseif ($isFolder) {
            $security = [IO.Directory]::GetAccessControl($path, $sections)
        } else {
            $security = [IO.File]::GetAccessControl($path, $sections)
        }
        $sddl = $security.GetSecurityDescriptorSddlForm($sections)
    } catch {
        $failed = Get-Reason $_
    }
    return '"sddl":' + (Format-Text $sddl) + ',"sddl_failed":' + (Format-Text $failed)
}

# One folder as JSON.
function Format-Folder([string]$path) {
    $entries = New-Object Collections.ArrayList
    $failed = $null
    $exists = $true
    $written = 'null'
    $permissions = '"sddl":null,"sddl_failed":null'
    try {
        $folder = New-Object IO.DirectoryInfo $path
        $found = @($folder.GetFileSystemInfos() | Sort-Object LastWriteTimeUtc -Descending)
        $written = Format-Text (Format-Utc $folder.LastWriteTimeUtc)
        $permissions = Format-Permissions $path $true
        $read = 0
        foreach ($entry in $found) {
            $isFolder = ($entry.Attributes -band [IO.FileAttributes]::Directory) -ne 0
            # TSSecKeySet1, Remote Desktop's own, is always looked at.
            if ($entry.Name -like 'f686aace6942fb7f7ceb231212eef4a4_*' -or $read -lt $mostRead) {
                $read++
                $own = Format-Permissions $entry.FullName $isFolder
            } else {
                $own = '"sddl":null,"sddl_failed":"not looked at: the folder holds too many files"'
            }
            $bytes = $null
            if (-not $isFolder) { $bytes = $entry.Length }
            [void]$entries.Add((Format-Object @(
                ('"name":' + (Format-Text $entry.Name)),
                ('"folder":' + (Format-Bool $isFolder)),
                ('"bytes":' + (Format-Number $bytes)),
                ('"created":' + (Format-Text (Format-Utc $entry.CreationTimeUtc))),
                ('"written":' + (Format-Text (Format-Utc $entry.LastWriteTimeUtc))),
                $own
            )))
        }
    } catch {
        $failed = Get-Reason $_
        $base = $_.Exception
        if ($null -ne $base) { $base = $base.GetBaseException() }
        if ($base -is [IO.DirectoryNotFoundException]) { $exists = $false; $failed = $null }
    }
    Add-Step 'folder' $path 'list' $null $failed
    return Format-Object @(
        ('"path":' + (Format-Text $path)),
        ('"exists":' + (Format-Bool $exists)),
        ('"failed":' + (Format-Text $failed)),
        ('"written":' + $written),
        $permissions,
        ('"entries":' + (Join-Json $entries))
    )
}

Write-Host 'Folders of keys'
$keyFolders = @(
    @('MachineKeys', (Join-Path $crypto 'RSA\MachineKeys')),
    @('Keys', (Join-Path $crypto 'Keys')),
    @('SystemKeys', (Join-Path $crypto 'SystemKeys'))
)
$protect = Join-Path $tools 'Microsoft\Protect\S-1-5-18'
$listed = @($crypto, (Join-Path $crypto 'RSA'), $protect, (Join-Path $protect 'User'))
foreach ($pair in $keyFolders) { $listed += $pair[1] }
# Folders beside MachineKeys, such as MachineKeys_old.
foreach ($beside in @(Get-ChildItem -Path (Join-Path $crypto 'RSA') -Force -ErrorAction SilentlyContinue)) {
    if ($beside.PSIsContainer -and $listed -notcontains $beside.FullName) { $listed += $beside.FullName }
}
$folders = New-Object Collections.ArrayList
foreach ($path in $listed) {
    $shown = Format-Folder $path
    # A 32-bit PowerShell calls it by another name than everybody else.
    [void]$folders.Add($shown.Replace('\\Sysnative\\', '\\System32\\'))
}
if ($null -ne $privilege) {
    try { [void]$privileges.GetMethod('Revert').Invoke($privilege, $null) } catch { Write-Verbose "$_" }
}

foreach ($pair in $keyFolders) {
    if (Test-Path -LiteralPath $pair[1]) {
        $file = Join-Path $root ('keys\' + $pair[0] + '.acl')
        [void](Invoke-Tool 'permissions' $pair[0] 'icacls.exe' @(($pair[1] + '\*'), '/save', $file, '/c') '')
        $file = Join-Path $root ('keys\' + $pair[0] + 'Folder.acl')
        [void](Invoke-Tool 'permissions' ($pair[0] + ' itself') 'icacls.exe' @($pair[1], '/save', $file) '')
        if ($IncludeKeyFiles) {
            $to = Join-Path $root ('keys\' + $pair[0])
            # Robocopy says with 1 to 7 that it copied something.
            [void](Invoke-Tool 'keys' $pair[0] 'robocopy.exe' @($pair[1], $to, '/B', '/COPY:DT', '/R:0', '/W:0', '/NP', '/NFL', '/NDL') '' 7)
        }
    }
}

# --------------------------------------------------------------------------------------------------------------- certificates
# The certificates alone. Their private keys are not even asked for, since asking is logged.

Write-Host 'Certificates'
foreach ($storeName in @('Remote Desktop', 'My', 'CA')) {
    try {
        $store = New-Object Security.Cryptography.X509Certificates.X509Store($storeName, [Security.Cryptography.X509Certificates.StoreLocation]::LocalMachine)
        $store.Open([Security.Cryptography.X509Certificates.OpenFlags]'ReadOnly, OpenExistingOnly')
        $folder = Join-Path $root ('stores\' + $storeName)
        [void][IO.Directory]::CreateDirectory($folder)
        foreach ($certificate in $store.Certificates) {
            [IO.File]::WriteAllBytes((Join-Path $folder ($certificate.Thumbprint + '.cer')), $certificate.RawData)
        }
        $store.Close()
        Add-Step 'store' $storeName 'X509Store' $null $null
    } catch {
        Add-Step 'store' $storeName 'X509Store' $null (Get-Reason $_)
    }
}

# ------------------------------------------------------------------------------------------------------------ services and the rest

Write-Host 'Services, updates, sessions, clock'
$system = Join-Path $root 'system'
[void](Invoke-Tool 'services' 'state' 'sc.exe' @('queryex', 'type=', 'all', 'state=', 'all') (Join-Path $system 'services.txt'))
foreach ($service in @('TermService', 'SessionEnv', 'UmRdpService', 'KeyIso', 'CryptSvc', 'CertPropSvc', 'LanmanWorkstation', 'Netlogon', 'W32Time')) {
    [void](Invoke-Tool 'service' $service 'sc.exe' @('qc', $service, '8192') (Join-Path $system ('service-' + $service + '.txt')))
}
[void](Invoke-Tool 'sessions' 'qwinsta' 'qwinsta.exe' @() (Join-Path $system 'qwinsta.txt'))
[void](Invoke-Tool 'ports' 'netstat' 'netstat.exe' @('-ano', '-p', 'TCP') (Join-Path $system 'netstat.txt'))
[void](Invoke-Tool 'clock' 'status' 'w32tm.exe' @('/query', '/status', '/verbose') (Join-Path $system 'w32tm.txt'))
[void](Invoke-Tool 'clock' 'configuration' 'w32tm.exe' @('/query', '/configuration') (Join-Path $system 'w32tm-configuration.txt'))

function Get-Instances([string]$class) {
    if (Get-Command Get-WmiObject -ErrorAction SilentlyContinue) { return Get-WmiObject $class -ErrorAction Stop }
    return Get-CimInstance $class -ErrorAction Stop
}

$booted = 'null'
$version = 'null'
try {
    $os = Get-Instances 'Win32_OperatingSystem'
    $version = Format-Text $os.Version
    $boot = $os.LastBootUpTime
    if ($boot -isnot [DateTime]) { $boot = [Management.ManagementDateTimeConverter]::ToDateTime($boot) }
    $booted = Format-Text (Format-Utc $boot)
} catch {
    Add-Step 'clock' 'last boot' 'Win32_OperatingSystem' $null (Get-Reason $_)
}
try {
    $lines = @(Get-Instances 'Win32_QuickFixEngineering' | ForEach-Object { "$($_.HotFixID)`t$($_.InstalledOn)`t$($_.Description)" })
    [IO.File]::WriteAllLines((Join-Path $system 'hotfixes.txt'), [string[]]$lines, [Text.Encoding]::UTF8)
    Add-Step 'updates' 'hotfixes' 'Win32_QuickFixEngineering' $null $null
} catch {
    Add-Step 'updates' 'hotfixes' 'Win32_QuickFixEngineering' $null (Get-Reason $_)
}

# -------------------------------------------------------------------------------------------------------------- manifest and zip
# In FIPS mode Windows refuses .NET's own SHA-256, and has one of its own.

function New-Sha256 {
    [void][Reflection.Assembly]::LoadWithPartialName('System.Core')
    foreach ($class in @('SHA256CryptoServiceProvider', 'SHA256Cng', 'SHA256Managed')) {
        try { return New-Object ('Security.Cryptography.' + $class) } catch { Write-Verbose "$_" }
    }
    return [Security.Cryptography.SHA256]::Create()
}

function Get-Sha256([string]$path) {
    $stream = New-Object IO.FileStream($path, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]::Read)
    try {
        $digest = (New-Sha256).ComputeHash($stream)
        return ([BitConverter]::ToString($digest) -replace '-', '').ToLowerInvariant()
    } finally {
        $stream.Close()
    }
}

Write-Host 'Manifest'
$files = New-Object Collections.ArrayList
foreach ($path in @([IO.Directory]::GetFiles($root, '*', [IO.SearchOption]::AllDirectories) | Sort-Object)) {
    $relative = $path.Substring($root.Length + 1) -replace '\\', '/'
    $digest = $null
    try { $digest = Get-Sha256 $path } catch { Add-Step 'hash' $relative 'SHA-256' $null (Get-Reason $_) }
    $size = (New-Object IO.FileInfo $path).Length
    [void]$files.Add((Format-Object @(
        ('"path":' + (Format-Text $relative)),
        ('"bytes":' + (Format-Number $size)),
        ('"sha256":' + (Format-Text $digest))
    )))
}
$offset = [TimeZone]::CurrentTimeZone.GetUtcOffset([DateTime]::Now)
$ended = [DateTime]::UtcNow
$members = @(
    '"format":"rdptriage-collection"',
    '"version":1',
    ('"host":' + (Format-Text $env:COMPUTERNAME)),
    ('"windows":' + $version),
    ('"powershell":' + (Format-Text "$($PSVersionTable.PSVersion)")),
    ('"account":' + (Format-Text $identity.User.Value)),
    ('"elevated":' + (Format-Bool $elevated)),
    ('"begun":' + (Format-Text (Format-Utc $begun))),
    ('"ended":' + (Format-Text (Format-Utc $ended))),
    ('"utc_offset_minutes":' + (Format-Number $offset.TotalMinutes)),
    ('"booted":' + $booted),
    ('"files":' + (Join-Json $files)),
    ('"folders":' + (Join-Json $folders)),
    ('"steps":' + (Join-Json $steps))
)
$manifest = "{`n" + [string]::Join(",`n", [string[]]$members) + "`n}`n"
[IO.File]::WriteAllText((Join-Path $root 'manifest.json'), $manifest, [Text.Encoding]::ASCII)

$zip = Join-Path $OutputFolder ($name + '.zip')
$zipped = $false
try {
    if ($null -ne [Reflection.Assembly]::LoadWithPartialName('System.IO.Compression.FileSystem')) {
        [IO.Compression.ZipFile]::CreateFromDirectory($root, $zip, [IO.Compression.CompressionLevel]::Fastest, $false)
        $zipped = $true
    }
} catch {
    Write-Warning "The zip could not be made: $(Get-Reason $_)"
}
if ($zipped) {
    [IO.Directory]::Delete($root, $true)
    $digest = Get-Sha256 $zip
    [IO.File]::WriteAllText(($zip + '.sha256'), ($digest + '  ' + $name + ".zip`r`n"), [Text.Encoding]::ASCII)
    Write-Host "Done: $zip"
    Write-Host "SHA-256: $digest"
} else {
    Write-Host "Done: the folder $root is the collection; pack it as you like."
}
if ($failures -gt 0) { Write-Host "$failures steps failed; manifest.json says which, and rdptriage what that leaves open." }
